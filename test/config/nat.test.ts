/** What a configuration says of mode nat: what it means, and every mistake that can be made in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { natInstanceFromArguments, withPaths } from '../../lib/config/one-liner.ts';
import { ConfigError, parseConfig } from '../../lib/config/parse.ts';
import { ExitCode } from '../../lib/model/errors.ts';
import { defaultNatPathSpec, defaultNatSpec } from '../../lib/model/spec.ts';

/** Every problem of a text as `LINE:COLUMN message; remedy`. */
function problemsOf(text: string): string[] {
  try {
    parseConfig(text, 'f');
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ place, message, remedy }) => `${place.slice(2)} ${message}; ${remedy}`);
  }
  return [];
}

const least = { listen: '192.0.2.1:80', backends: ['10.0.0.1:80', '10.0.0.2:80=2'] };

/** One service of mode nat, with keys of it in line 2 and keys of the instance in line 1. */
function file({ listen = '192.0.2.1:80', backends = '10.0.0.1:80', keys = '', nat = '' }): string {
  return `nat: { ${nat} }
services: [{ name: web, mode: nat, ${keys}${keys === '' ? '' : ', '}listen: "${listen}", backends: ["${backends}"] }]
`;
}

describe('mode nat in a configuration', () => {
  it('needs no more than a VIP and backends', () => {
    const { nat, services } = parseConfig(file({}), 'f');
    assert.deepEqual(nat, defaultNatPathSpec);
    assert.deepEqual(
      services.map(({ mode, balance, nat }) => ({ mode, balance, nat })),
      [{ mode: 'nat', balance: 'maglev', nat: defaultNatSpec }],
    );
  });

  it('can say everything', () => {
    const { nat, services } = parseConfig(
      file({
        keys: 'snat: ["10.0.0.9", "FD00::9"], when-down: drop, balance: source',
        nat: 'workers: 4, snat-ports: 10000-20000, max-flows: 1000000, on-failure: bypass, add-vip: eth0, timeouts: { established: 1h, udp-stream: 5s }',
      }),
      'f',
    );
    assert.deepEqual(nat, {
      workers: 4,
      snatPorts: [10_000, 20_000],
      maxFlows: 1_000_000,
      onFailure: 'bypass',
      addVip: 'eth0',
      timeouts: { established: 3_600_000, 'udp-stream': 5_000 },
    });
    assert.deepEqual(services[0]!.nat, { snat: ['10.0.0.9', 'fd00::9'], whenDown: 'drop' });
    assert.equal(services[0]!.balance, 'source');
  });

  for (const [snat, meaning] of [
    ['auto', 'auto'],
    ['none', 'none'],
    ['10.0.0.9, 10.0.0.8', ['10.0.0.9', '10.0.0.8']],
  ] as const) {
    it(`takes ${snat} for the source`, () => {
      assert.deepEqual(parseConfig(file({ keys: `snat: "${snat}"` }), 'f').services[0]!.nat.snat, meaning);
    });
  }

  it('may have VIPs and backends of both families in one service, and names', () => {
    const listen = '192.0.2.1:80", "[2001:db8::1]:80';
    const text = file({ backends: '10.0.0.1:80", "[fd00::1]:80", "web.internal:80' });
    assert.deepEqual(problemsOf(text.replace('"192.0.2.1:80"', `["${listen}"]`)), []);
    assert.deepEqual(problemsOf(file({ listen: ':80' })), []);
  });
});

describe('a mistake in mode nat', () => {
  for (const [given, ...problems] of [
    [
      { backends: '127.0.0.1:80' },
      '2:71 backend 127.0.0.1:80 cannot be reached: what arrives from outside is never delivered to a loopback address; have it listen on an address of an interface, or use mode proxy',
    ],
    [
      { listen: '[2001:db8::1]:80', backends: '[::1]:80' },
      '2:75 backend [::1]:80 cannot be reached: what arrives from outside is never delivered to a loopback address; have it listen on an address of an interface, or use mode proxy',
    ],
    [
      { listen: '127.0.0.1:80' },
      '2:44 127.0.0.1 cannot be a VIP: what arrives from outside is never delivered to a loopback address; use an address of an interface, or mode proxy',
    ],
    [{ listen: '192.0.2.1:0' }, '2:44 a VIP has no port 0; name the port that clients use'],
    [
      { listen: '0.0.0.0:80' },
      '2:44 0.0.0.0 is not the address of a VIP; write :80 for every address of this machine',
    ],
    [
      { listen: '224.0.0.1:80' },
      '2:44 224.0.0.1 cannot be a VIP: it is a multicast address; use an address of an interface, or mode proxy',
    ],
    [
      { listen: '192.0.2.1:61000' },
      '2:44 port 61000 of the VIP lies in snat-ports 61000-65535; choose other snat-ports',
    ],
    [
      { backends: '[fd00::1]:80' },
      '2:44 no backend of tcp://192.0.2.1:80 is IPv4; packets are not translated between IPv4 and IPv6: use mode proxy for that',
      '2:71 backend [fd00::1]:80 is IPv6 and no VIP of its service is; packets are not translated between IPv4 and IPv6: use mode proxy for that',
    ],
    [
      { backends: '192.0.2.1:80' },
      '2:71 backend 192.0.2.1:80 is the VIP itself; give the backend another port or address',
    ],
    [
      { backends: '[fe80::1%eth0]:80', listen: '[2001:db8::1]:80' },
      '2:75 backend [fe80::1%eth0]:80 cannot be reached: a link-local address is not routed; have it listen on an address of an interface, or use mode proxy',
    ],
    [
      { keys: 'snat: mine' },
      '2:42 "mine" is not a source address; write addresses of this machine with commas between them, auto, or none',
    ],
    [
      { keys: 'snat: 127.0.0.1' },
      '2:42 127.0.0.1 cannot be a source: what arrives from outside is never delivered to a loopback address; use an address of an interface',
    ],
    [
      { keys: 'snat: "fd00::9"' },
      '2:42 snat has no IPv4 address for the backends that are IPv4; add one, or write auto',
    ],
    [{ keys: 'when-down: kill' }, '2:47 when-down "kill" is unknown; use reset, drop'],
    [
      { keys: 'retries: 2' },
      '2:36 retries belongs to mode proxy, and this service is of mode nat; leave it out',
    ],
    [{ nat: 'workers: 0' }, '1:17 workers must be 1 or more, not 0; undefined'],
    [{ nat: 'workers: 65' }, '1:17 workers must be 64 or less, not 65; undefined'],
    [
      { nat: 'snat-ports: 5-1' },
      '1:20 "5-1" is not a range of ports; write FIRST-LAST, from 1 to 65535, as in 61000-65535',
    ],
    [
      { nat: 'snat-ports: 1-65536' },
      '1:20 "1-65536" is not a range of ports; write FIRST-LAST, from 1 to 65535, as in 61000-65535',
    ],
    [
      { nat: 'snat-ports: 7000-7002, workers: 4' },
      '1:20 snat-ports 7000-7002 are fewer than the 4 workers; give each worker one port at least',
    ],
    [{ nat: 'max-flows: 10' }, '1:19 max-flows must be 1024 or more, not 10; undefined'],
    [{ nat: 'on-failure: pass' }, '1:20 on-failure "pass" is unknown; use drop, bypass'],
    [{ nat: 'add-vip: "eth 0"' }, '1:17 "eth 0" is not an interface; write its name, as in eth0'],
    [{ nat: 'worker: 1' }, '1:8 unknown key "worker"; did you mean "workers"?'],
    [{ nat: 'timeouts: { estabished: 1s }' }, '1:20 unknown key "estabished"; did you mean "established"?'],
    [{ nat: 'timeouts: { established: 0s }' }, '1:33 "0s" is too short; use 1ms or more'],
  ] as const) {
    it(`is found: ${JSON.stringify(given)}`, () => assert.deepEqual(problemsOf(file(given)), problems));
  }

  it('is a key of nat in another mode', () => {
    assert.deepEqual(problemsOf('services: [{ name: a, snat: none, listen: ":1", backends: [a:1] }]'), [
      '1:23 snat belongs to mode nat, and this service is of mode proxy; leave it out',
    ]);
  });

  it('is to leave from other addresses than another service does', () => {
    const services = ['auto', 'none', '10.0.0.9', 'auto'].map(
      (snat, index) =>
        `  - { mode: nat, name: s${index}, snat: ${snat}, listen: "192.0.2.1:${index + 1}", backends: ["10.0.0.1:1"] }`,
    );
    assert.deepEqual(problemsOf(`services:\n${services.join('\n')}`), [
      '4:34 snat differs from that of service s0; give all services the same addresses, or none',
    ]);
  });
});

describe('the arguments of sluice nat', () => {
  it('are the file that they stand for', () => {
    assert.deepEqual(
      natInstanceFromArguments(least),
      parseConfig(
        '{ name: nat, services: [{ name: nat, mode: nat, listen: 192.0.2.1:80, backends: [10.0.0.1:80, 10.0.0.2:80=2] }] }',
        'f',
      ),
    );
    assert.deepEqual(
      natInstanceFromArguments({
        ...least,
        name: 'edge',
        balance: 'random',
        snat: '10.0.0.9,10.0.0.8',
        whenDown: 'drop',
        whenAllDown: 'drop',
        workers: 2,
        snatPorts: '7000-8000',
        maxFlows: 4_096,
        onFailure: 'bypass',
        addVip: 'eth0',
        check: 'none',
      }),
      parseConfig(
        `{ name: edge, nat: { workers: 2, snat-ports: 7000-8000, max-flows: 4096, on-failure: bypass, add-vip: eth0 },
          services: [{ name: edge, mode: nat, listen: 192.0.2.1:80, backends: [10.0.0.1:80, 10.0.0.2:80=2],
          balance: random, snat: "10.0.0.9,10.0.0.8", when-down: drop, when-all-down: drop, check: none }] }`,
        'f',
      ),
    );
  });

  for (const [given, message, place] of [
    [{ snat: 'me' }, '"me" is not a source address', '--snat'],
    [{ whenDown: 'kill' }, 'when-down "kill" is unknown', '--when-down'],
    [{ workers: 0 }, 'workers must be 1 or more, not 0', '--workers'],
    [{ snatPorts: 'all' }, '"all" is not a range of ports', '--snat-ports'],
    [{ maxFlows: 1 }, 'max-flows must be 1024 or more, not 1', '--max-flows'],
    [{ onFailure: 'pass' }, 'on-failure "pass" is unknown', '--on-failure'],
    [{ addVip: '' }, '"" is not an interface', '--add-vip'],
    [
      { backends: ['127.0.0.1:80'] },
      'backend 127.0.0.1:80 cannot be reached: what arrives from outside is never delivered to a loopback address',
      undefined,
    ],
  ] as const) {
    it(`are refused as a usage error: ${message}`, () => {
      assert.throws(() => natInstanceFromArguments({ ...least, ...given }), {
        code: 'ERR_SLUICE_USAGE',
        exitCode: ExitCode.usage,
        message,
        place,
      });
    });
  }

  it('win over a file where they speak of the packet path, and are held against it', () => {
    const spec = parseConfig(file({ nat: 'workers: 2, on-failure: bypass' }), 'f');
    assert.deepEqual(withPaths(spec, { workers: 3, addVip: 'eth1' }).nat, {
      ...spec.nat,
      workers: 3,
      addVip: 'eth1',
    });
    assert.deepEqual(withPaths(spec, {}).nat, spec.nat);
    assert.throws(() => withPaths(spec, { snatPorts: '80-90' }), {
      message: 'port 80 of the VIP lies in snat-ports 80-90',
      exitCode: ExitCode.usage,
    });
  });
});
