import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runSluice } from '../support/sluice.ts';

/** What is typed, what is said on stderr, and the exit code. Nothing is ever on stdout. */
const mistakes: readonly [line: string, said: string, code: number][] = [
  ['proxi :80 a:1', 'sluice: unknown command "proxi" — did you mean proxy?', 2],
  ['statsu', 'sluice: unknown command "statsu" — did you mean status?', 2],
  ['frobnicate', 'sluice: unknown command "frobnicate" — see sluice --help', 2],
  ['--json', 'sluice: unknown flag --json — see sluice --help', 2],
  ['proxy', 'sluice: LISTEN is missing — write sluice proxy LISTEN BACKEND...', 2],
  ['proxy :0', 'sluice: BACKEND is missing — write sluice proxy LISTEN BACKEND...', 2],
  ['proxy :0 --blance random', 'sluice: unknown flag --blance — did you mean --balance?', 2],
  ['proxy :0 a:1 --no-tiu', 'sluice: unknown flag --no-tiu — did you mean --no-tui?', 2],
  ['proxy :0 a:1 --balance', 'sluice: --balance needs a value', 2],
  ['proxy :0 a:1 --balance maglve', 'sluice: --balance "maglve" is unknown — did you mean maglev?', 2],
  [
    'proxy :0 a:1 --balance magic',
    'sluice: --balance "magic" is unknown — use maglev, round-robin, least-connections, two-choices, random, source',
    2,
  ],
  ['proxy :0 a:1 --rise many', 'sluice: --rise needs a whole number', 2],
  ['proxy :0 a:1 --rise 0', 'sluice: rise must be 1 or more, not 0\n  at --rise', 2],
  [
    'proxy 127.0.0.1:99999 a:1',
    'sluice: "127.0.0.1:99999" is not an address: port 99999 is out of range — use a port from 1 to 65535',
    2,
  ],
  [
    'proxy sctp://:80 a:1',
    'sluice: "sctp://:80" is not an address: scheme "sctp" is unknown — use tcp:// or udp://',
    2,
  ],
  [
    'proxy :0 10.0.0.1',
    'sluice: "10.0.0.1" is not an address: the port is missing — add one, as in 10.0.0.1:80',
    2,
  ],
  [
    'proxy :0 10.0.0.256:80',
    'sluice: "10.0.0.256:80" is not an address: "10.0.0.256" is not an IPv4 address — write four numbers from 0 to 255, without leading zeros',
    2,
  ],
  [
    'proxy :0 fd00::1:80',
    'sluice: "fd00::1:80" is not an address: IPv6 needs brackets — write [fd00::1]:80',
    2,
  ],
  [
    'proxy :0 a:1=heavy',
    'sluice: "a:1=heavy" is not an address: weight "heavy" is not a whole number — use a whole number from 0 to 65535',
    2,
  ],
  [
    'proxy :0 a:1=65536',
    'sluice: "a:1=65536" is not an address: weight 65536 is out of range — use a whole number from 0 to 65535',
    2,
  ],
  ['proxy :0 a:1 a:1', 'sluice: backend a:1 is there twice — leave one out, or give one a name', 2],
  [
    'proxy :0 a:1 --check-interval 5',
    'sluice: "5" is not a duration: the unit is missing — write 5ms, 5s, 5m or 5h\n  at --check-interval',
    2,
  ],
  [
    'proxy :0 a:1 --for soon',
    'sluice: "soon" is not a duration: it is not a number and a unit — write 250ms, 1.5s, 5m or 2h\n  at --for',
    2,
  ],
  [
    'proxy :0 127.0.0.1:1 --check ping',
    'sluice: "ping" is not a check: type "ping" is unknown — use tcp, http:/PATH, https:/PATH, udp:HEX, exec:COMMAND or none',
    2,
  ],
  [
    'proxy :0 a:1 --log-level loud',
    'sluice: --log-level "loud" is unknown — use debug, info, warn, error, silent',
    2,
  ],
  [
    'proxy :0 host.invalid:80',
    'sluice: "host.invalid" does not resolve to an address — check the name, or write the address itself',
    1,
  ],
  ['nat', 'sluice: VIP is missing — write sluice nat VIP BACKEND...', 2],
  ['nat 10.0.0.1:80', 'sluice: BACKEND is missing — write sluice nat VIP BACKEND...', 2],
  [
    'nat 10.0.0.1:80 127.0.0.1:80',
    'sluice: backend 127.0.0.1:80 cannot be reached: what arrives from outside is never delivered to a loopback address — have it listen on an address of an interface, or use mode proxy',
    2,
  ],
  [
    'nat 10.0.0.1:80 [::1]:80',
    'sluice: no backend of tcp://10.0.0.1:80 is IPv4 — packets are not translated between IPv4 and IPv6: use mode proxy for that',
    2,
  ],
  [
    'nat 10.0.0.1:80 localhost:80 --name nat-usage',
    'sluice: backend 127.0.0.1:80 cannot be reached: what arrives from outside is never delivered to a loopback address — have it listen on an address of an interface, or use mode proxy',
    1,
  ],
  ['nat 10.0.0.1:0 10.0.0.2:80', 'sluice: a VIP has no port 0 — name the port that clients use', 2],
  [
    'nat 10.0.0.1:80 10.0.0.2:80 --udp-answers 2',
    'sluice: unknown flag --udp-answers — see sluice nat --help',
    2,
  ],
  ['proxy :0 a:1 --snat none', 'sluice: unknown flag --snat — see sluice proxy --help', 2],
  [
    'nat 10.0.0.1:80 10.0.0.2:80 --snat me',
    'sluice: "me" is not a source address — write addresses of this machine with commas between them, auto, or none\n  at --snat',
    2,
  ],
  [
    'nat 10.0.0.1:80 10.0.0.2:80 --snat-ports 5',
    'sluice: "5" is not a range of ports — write FIRST-LAST, from 1 to 65535, as in 61000-65535\n  at --snat-ports',
    2,
  ],
  ['nat 10.0.0.1:80 10.0.0.2:80 --workers 0', 'sluice: workers must be 1 or more, not 0\n  at --workers', 2],
  [
    'nat 10.0.0.1:80 10.0.0.2:80 --on-failure bypas',
    'sluice: --on-failure "bypas" is unknown — did you mean bypass?',
    2,
  ],
  [
    'save web -- nat 10.0.0.1:80 10.0.0.2:80 --workers 2',
    'sluice: --workers is for a whole instance, not for one service — give it to sluice up',
    2,
  ],
  ['doctor --claen', 'sluice: unknown flag --claen — did you mean --clean?', 2],
  ['up --file', 'sluice: --file needs a value', 2],
  ['up edge.yaml', 'sluice: unexpected "edge.yaml" — write sluice up', 2],
  ['check', 'sluice: the file is missing — write sluice check -f FILE', 2],
  [
    'check -f /nowhere.yaml',
    'sluice: /nowhere.yaml cannot be read: there is no such file — name a configuration file with -f FILE',
    3,
  ],
  ['up -f /', 'sluice: / cannot be read: it is a directory — name a configuration file with -f FILE', 3],
  ['save web', 'sluice: the service is missing — write sluice save NAME -- proxy|nat|dsr ARGS...', 2],
  ['save web -- up', 'sluice: unknown command "up" — see sluice --help', 2],
  ['save web -- proxy :80', 'sluice: BACKEND is missing — write sluice proxy LISTEN BACKEND...', 2],
  [
    'save web -- proxy :80 a:1 --metrics :9100',
    'sluice: --metrics is for a whole instance, not for one service — give it to sluice up',
    2,
  ],
  [
    'save web proxy :80 a:1',
    'sluice: unexpected "proxy" — write sluice save NAME -- proxy|nat|dsr ARGS...',
    2,
  ],
  ['drain', 'sluice: BACKEND is missing — write sluice drain BACKEND', 2],
  ['drain a:1 b:1', 'sluice: unexpected "b:1" — write sluice drain BACKEND', 2],
  ['weight a:1', 'sluice: N is missing — write sluice weight BACKEND N', 2],
  ['weight a:1 -1', 'sluice: "-1" is not a weight — use a whole number from 0 to 65535', 2],
  ['weight a:1 1.5', 'sluice: "1.5" is not a weight — use a whole number from 0 to 65535', 2],
  ['flows --limit all', 'sluice: --limit needs a whole number', 2],
  [
    'status --control /nowhere/sluice.sock',
    'sluice: no instance answers at /nowhere/sluice.sock — start one, or point to it with --name NAME or --control PATH',
    5,
  ],
  [
    'reload --name nobody-is-called-so',
    'sluice: no instance called nobody-is-called-so is running — start one, or point to it with --name NAME or --control PATH',
    5,
  ],
  [
    'demo --listen :99999',
    'sluice: ":99999" is not an address: port 99999 is out of range — use a port from 1 to 65535',
    2,
  ],
  ['completion tcsh', 'sluice: SHELL "tcsh" is unknown — use bash, zsh, fish', 2],
  ['status -- now', 'sluice: -- has no meaning here — write sluice status', 2],
];

describe('a mistake on the command line', { concurrency: 2 }, () => {
  for (const [line, said, code] of mistakes) {
    it(`sluice ${line}`, async () => {
      const outcome = await runSluice(line.split(' '));
      assert.deepEqual(outcome, { code, stdout: '', stderr: `${said}\n` });
    });
  }

  it('shows where it was noticed to whoever debugs', async () => {
    const { code, stderr } = await runSluice(['proxy', ':0', 'a:1', '--drain', 'x', '--log-level', 'debug']);
    assert.equal(code, 2);
    assert.match(stderr, /^sluice: "x" is not a duration[^\n]*\n {2}at --drain\n.*\n {4}at /);
  });

  it('is red where colour is wished for', async () => {
    const { stderr } = await runSluice(['frobnicate'], { env: { FORCE_COLOR: '1' } });
    assert.match(stderr, new RegExp(`^${String.fromCharCode(27)}\\[31msluice:`));
    const plain = await runSluice(['proxy', '--no-color'], { env: { FORCE_COLOR: '1' } });
    assert.match(plain.stderr, /^sluice: /);
  });
});

describe('help', { concurrency: 2 }, () => {
  it('is given to whoever types nothing, and leads with examples', async () => {
    const { code, stdout, stderr } = await runSluice([]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.ok(stdout.indexOf('\n  sluice demo\n') < stdout.indexOf('Usage: sluice COMMAND'));
    assert.match(stdout, /\n {2}sluice weight <BACKEND> <N> +Set a backend's share of new flows\n/);
  });

  it('of a command leads with its examples and has its flags', async () => {
    const { code, stdout } = await runSluice(['proxy', '--help']);
    assert.equal(code, 0);
    assert.ok(
      stdout.indexOf('sluice proxy udp://') < stdout.indexOf('Usage: sluice proxy LISTEN BACKEND...'),
    );
    for (const flag of ['--balance', '--check-interval', '--no-tui', '--drain'])
      assert.ok(stdout.includes(flag));
  });

  it('fits a terminal of 100 columns', async () => {
    const { stdout } = await runSluice(['proxy', '--help']);
    const tooLong = stdout.split('\n').filter((line) => line.length > 100);
    assert.deepEqual(tooLong, []);
  });
});

describe('the version', () => {
  it('is that of the package', async () => {
    const { code, stdout } = await runSluice(['--version']);
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
