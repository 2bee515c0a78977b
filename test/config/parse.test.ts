import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { ConfigError, parseConfig } from '../../lib/config/parse.ts';
import { ExitCode } from '../../lib/model/errors.ts';
import {
  defaultCheckTiming,
  defaultDrainMs,
  defaultDsrPathSpec,
  defaultDsrSpec,
  defaultHashSeed,
  defaultNatPathSpec,
  defaultNatSpec,
  defaultProxySpec,
  type InstanceSpec,
} from '../../lib/model/spec.ts';

/** Every problem of a text as `LINE:COLUMN message`, and `; remedy` if there is one. */
function problemsOf(text: string): string[] {
  try {
    parseConfig(text, 'f');
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(
      ({ place, message, remedy }) =>
        `${place.slice(2)} ${message}${remedy === undefined ? '' : `; ${remedy}`}`,
    );
  }
  return [];
}

/** A sound service and one more line in its map: line 5, from column 5. */
const service = (line: string): string => `services:
  - name: web
    listen: :80
    backends: [a:1]
    ${line}
`;

const serviceKeys =
  'name, mode, listen, balance, backends, check, when-all-down, connect-timeout, retries, idle-timeout, ' +
  'half-close-timeout, max-connections, queue-length, queue-timeout, udp-idle-timeout, udp-answers, udp-max-sessions, ' +
  'snat, when-down, encap, outer-source';

const tcpCheckKeys = 'type, port, interval, fast-interval, timeout, rise, fall';

describe('a configuration file', () => {
  it('needs no more than where to listen and whom to pass it on to', () => {
    const expected: InstanceSpec = {
      name: 'up',
      drainMs: defaultDrainMs,
      hashSeed: defaultHashSeed,
      nat: defaultNatPathSpec,
      dsr: defaultDsrPathSpec,
      services: [
        {
          name: 'web',
          mode: 'proxy',
          listen: [{ protocol: 'tcp', host: '', port: 80 }],
          balance: 'round-robin',
          backends: [{ name: 'a:1', host: 'a', port: 1, weight: 1 }],
          check: { ...defaultCheckTiming, type: 'tcp' },
          whenAllDown: 'reject',
          proxy: defaultProxySpec,
          nat: defaultNatSpec,
          dsr: defaultDsrSpec,
        },
      ],
    };
    assert.deepEqual(parseConfig(service(''), 'f'), expected);
  });

  it('can say everything', () => {
    const text = `
name: edge-1
control: /run/edge.sock
metrics: 127.0.0.1:9100
drain: 30s
hash-seed: "000102030405060708090A0B0C0D0E0F"
services:
  - name: dns
    mode: proxy
    listen: [udp://:53, "[::1]:53"]
    balance: maglev
    backends:
      - 10.0.0.1:53=0
      - { address: "[FD00::1]:53", weight: 2, name: west }
    check: { type: udp, send: "00ff", expect: "00", port: 54, interval: 2s, fast-interval: 1s, timeout: 1s, rise: 1, fall: 9 }
    when-all-down: last-known
    connect-timeout: 1s
    retries: 0
    idle-timeout: 2m
    half-close-timeout: 3s
    max-connections: 4
    queue-length: 5
    queue-timeout: 6s
    udp-idle-timeout: 7s
    udp-answers: 8
    udp-max-sessions: 9
`;
    const expected: InstanceSpec = {
      name: 'edge-1',
      control: '/run/edge.sock',
      metrics: { host: '127.0.0.1', port: 9100 },
      drainMs: 30_000,
      hashSeed: '000102030405060708090a0b0c0d0e0f',
      nat: defaultNatPathSpec,
      dsr: defaultDsrPathSpec,
      services: [
        {
          name: 'dns',
          mode: 'proxy',
          listen: [
            { protocol: 'udp', host: '', port: 53 },
            { protocol: 'tcp', host: '::1', port: 53 },
          ],
          balance: 'maglev',
          backends: [
            { name: '10.0.0.1:53', host: '10.0.0.1', port: 53, weight: 0 },
            { name: 'west', host: 'fd00::1', port: 53, weight: 2 },
          ],
          check: {
            type: 'udp',
            send: '00ff',
            expect: '00',
            port: 54,
            intervalMs: 2_000,
            fastIntervalMs: 1_000,
            timeoutMs: 1_000,
            rise: 1,
            fall: 9,
          },
          whenAllDown: 'last-known',
          proxy: {
            connectTimeoutMs: 1_000,
            retries: 0,
            idleTimeoutMs: 120_000,
            halfCloseTimeoutMs: 3_000,
            maxConnectionsPerBackend: 4,
            queueLength: 5,
            queueTimeoutMs: 6_000,
            udpIdleTimeoutMs: 7_000,
            udpAnswers: 8,
            udpMaxSessions: 9,
          },
          nat: defaultNatSpec,
          dsr: defaultDsrSpec,
        },
      ],
    };
    assert.deepEqual(parseConfig(text, 'f'), expected);
  });

  const timing = defaultCheckTiming;
  for (const [text, check] of [
    ['none', { type: 'none' }],
    ['udp:00/01', { ...timing, type: 'udp', send: '00', expect: '01' }],
    ['{ type: none }', { type: 'none' }],
    ['{ type: tcp }', { ...timing, type: 'tcp' }],
    ['{ type: tcp, interval: 100ms }', { ...timing, type: 'tcp', intervalMs: 100, fastIntervalMs: 100 }],
    ['{ type: tcp, interval: 9s }', { ...timing, type: 'tcp', intervalMs: 9_000 }],
    [
      '{ type: https, path: /up, host: "web:1", status: 204, body: ok, port: 8 }',
      {
        ...timing,
        type: 'http',
        tls: true,
        path: '/up',
        host: 'web:1',
        status: [204, 204],
        body: 'ok',
        port: 8,
      },
    ],
    [
      '{ type: http, path: /, status: 200-204 }',
      { ...timing, type: 'http', tls: false, path: '/', status: [200, 204] },
    ],
    ['{ type: http, path: / }', { ...timing, type: 'http', tls: false, path: '/', status: [200, 399] }],
    [
      '{ type: expect, send: "PING\\r\\n", expect: +PONG }',
      { ...timing, type: 'expect', send: 'PING\r\n', expect: '+PONG' },
    ],
    ['{ type: exec, command: "true" }', { ...timing, type: 'exec', command: 'true' }],
  ] as const) {
    it(`can check with ${text}`, () => {
      assert.deepEqual(parseConfig(service(`check: ${text}`), 'f').services[0]?.check, check);
    });
  }

  it('checks nothing over UDP unless told to', () => {
    const text = 'services: [{ name: dns, listen: udp://:53, backends: [a:53] }]';
    assert.deepEqual(parseConfig(text, 'f').services[0]?.check, { type: 'none' });
  });

  it('can repeat itself with anchors', () => {
    const text =
      'services: [{ name: a, listen: :1, backends: &b [x:1] }, { name: b, listen: :2, backends: *b }]';
    const [a, b] = parseConfig(text, 'f').services;
    assert.deepEqual(a?.backends, b?.backends);
  });

  it('may have any free port twice', () => {
    const text =
      'services: [{ name: a, listen: ["x:0", "x:0"], backends: [x:1] }, { name: b, listen: x:0, backends: [x:1] }]';
    assert.equal(parseConfig(text, 'f').services.length, 2);
  });
});

describe('a mistake in the configuration file', () => {
  for (const [line, ...problems] of [
    ['idle-timout: 5s', '5:5 unknown key "idle-timout"; did you mean "idle-timeout"?'],
    ['mode: tunnel', '5:11 mode "tunnel" is unknown; use proxy, nat, dsr'],
    [
      'balance: leastconn',
      '5:14 balance "leastconn" is unknown; use maglev, round-robin, least-connections, two-choices, random, source',
    ],
    ['when-all-down: 1', '5:20 when-all-down 1 is unknown; use reject, drop, last-known'],
    ['idle-timeout: 5', '5:19 "5" is not a duration: the unit is missing; write 5ms, 5s, 5m or 5h'],
    ['idle-timeout: [5s]', '5:19 idle-timeout must be text, not a list'],
    ['idle-timeout: true', '5:19 idle-timeout must be text, not true; put it in quotes: "true"'],
    ['idle-timeout: 0s', '5:19 "0s" is too short; use 1ms or more'],
    ['idle-timeout:', '5:5 idle-timeout is empty; give it a value, or leave it out'],
    ['retries: -1', '5:14 retries must be 0 or more, not -1'],
    ['retries: 1.5', '5:14 retries must be a whole number, not 1.5'],
    ['retries: "2"', '5:14 retries must be a whole number, not "2"'],
    ['retries: .nan', '5:14 retries must be a whole number, not NaN'],
    ['udp-max-sessions: 0', '5:23 udp-max-sessions must be 1 or more, not 0'],
    [
      'check: icmp',
      '5:12 "icmp" is not a check: type "icmp" is unknown; use tcp, http:/PATH, https:/PATH, udp:HEX, exec:COMMAND or none',
    ],
    ['check: true', '5:12 check must be text or a map, not true; put it in quotes: "true"'],
    ['check: { path: / }', '5:12 type is missing; add type: to the map that begins here'],
    ['check: { type: icmp }', '5:20 type "icmp" is unknown; use none, tcp, http, https, udp, expect, exec'],
    ['check: { type: tcp, prot: 1 }', '5:25 unknown key "prot"; did you mean "port"?'],
    ['check: { type: tcp, path: / }', `5:25 unknown key "path"; use one of ${tcpCheckKeys}`],
    ['check: { type: tcp, port: 65536 }', '5:31 port must be 65535 or less, not 65536'],
    ['check: { type: http }', '5:12 path is missing; add path: to the map that begins here'],
    [
      'check: { type: http, path: /, status: 500-200 }',
      '5:43 "500-200" is not a range of status codes; write 200 or 200-399',
    ],
    [
      'check: { type: http, path: /, status: 99 }',
      '5:43 "99" is not a range of status codes; write 200 or 200-399',
    ],
    ['check: { type: http, path: /, host: "a b" }', '5:41 "a b" is not a host; write HOST or HOST:PORT'],
    ['check: { type: exec, command: "" }', '5:35 "" is empty; write one character at least'],
    ['check: { type: udp, send: 10 }', '5:31 send must be text, not 10; put it in quotes: "10"'],
    ['check: { type: udp, send: "1" }', '5:31 "1" is not hexadecimal; write two digits a byte, as in 00ff'],
    [
      'mode: "proxy',
      '6:1 Missing closing "quote; put values with brackets, or with a colon and a space, in quotes',
    ],
    ['name: again', '5:5 this key is there twice; leave one out'],
    ['check: !!x tcp', '5:12 Unresolved tag: tag:yaml.org,2002:x'],
    ['check: *x', '5:12 Unresolved alias (the anchor must be set before the alias): x'],
    ['? [a]', '5:7 this key is not text; write KEY: VALUE'],
    [
      'retries: -1\n    mode: drs\n    zzz: 1',
      '5:14 retries must be 0 or more, not -1',
      '6:11 mode "drs" is unknown; use proxy, nat, dsr',
      `7:5 unknown key "zzz"; use one of ${serviceKeys}`,
    ],
  ] as const) {
    it(`is found in ${JSON.stringify(line)}`, () => assert.deepEqual(problemsOf(service(line)), problems));
  }

  for (const [text, ...problems] of [
    ['', '1:1 the configuration is empty; give it a value, or leave it out'],
    ['hello', '1:1 the configuration must be a map, not "hello"'],
    ['# none\n- a', '2:1 the configuration must be a map, not a list'],
    ['name: x', '1:1 services is missing; add services: to the map that begins here'],
    ['services: []', '1:11 services is empty; list one at least'],
    ['services: [1]', '1:12 an item of services must be a map, not 1'],
    ['a: 1\n---\nb: 1', '2:1 a second document begins here; keep one in a file'],
    [
      'services:\n  - listen: [:80]\n',
      '2:5 name is missing; add name: to the map that begins here',
      '2:5 backends is missing; add backends: to the map that begins here',
    ],
    [
      'name: a/b\nservices: [{ name: x, listen: :1, backends: [a:1] }]',
      '1:7 "a/b" is not a name; use up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first',
    ],
    [
      'metrics: 9100\ncontrol: ""\ndrain: soon\nservices: [{ name: x, listen: :1, backends: [a:1] }]',
      '1:10 "9100" is not an address: it is only a port; write :9100',
      '2:10 "" is empty; write one character at least',
      '3:8 "soon" is not a duration: it is not a number and a unit; write 250ms, 1.5s, 5m or 2h',
    ],
    [
      'hash-seed: 00000000000000000000000000000001\nservices: [{ name: x, listen: :1, backends: [a:1] }]',
      '1:12 "1" is not a seed; write 32 hexadecimal digits, in quotes',
    ],
    [
      `services:
  - name: web
    listen: [":80", "::1:80", 81, tcp://*:1]
    backends:
      - a:1
      - b
      - { address: c:0, weight: 70000 }
      - { adress: d:1, name: "" }
      - 9001
      -
`,
      '3:21 "::1:80" is not an address: IPv6 needs brackets; write [::1]:80',
      '3:31 "81" is not an address: it is only a port; write :81',
      '3:35 "tcp://*:1" is not an address: "*" is not a host; use an address, or a name of letters, digits, hyphens and dots',
      '6:9 "b" is not an address: the port is missing; add one, as in b:80',
      '7:20 "c:0" is not an address: port 0 is out of range; use a port from 1 to 65535',
      '7:33 weight must be 65535 or less, not 70000',
      '8:9 address is missing; add address: to the map that begins here',
      '8:11 unknown key "adress"; did you mean "address"?',
      `8:30 "" is not a backend's name; use up to 255 characters, none of them blank`,
      '9:9 "9001" is not an address: it is only a port; write HOST:9001',
      '10:8 an item of backends is empty; give it a value, or leave it out',
    ],
    [
      'services:\n  - name: web\n    listen: [::1]:80\n    backends: [a:1]',
      '3:18 Unexpected scalar at node end; put values with brackets, or with a colon and a space, in quotes',
    ],
  ] as const) {
    it(`is found in ${JSON.stringify(text)}`, () => assert.deepEqual(problemsOf(text), problems));
  }

  it('is to use a name or an address twice, and shows in sound services beside broken ones', () => {
    const text = `services:
  - { name: a, listen: :80, backends: [x:1, X:1, { address: y:1, name: z }, { address: y:2, name: z }] }
  - { name: b, listen: :81, backends: [] }
  - { name: a, listen: [udp://:80, tcp://:80], backends: [x:1] }
`;
    assert.deepEqual(problemsOf(text), [
      '2:45 backend x:1 is there twice; leave one out, or give one a name',
      '2:77 backend z is there twice; leave one out, or give one a name',
      '3:39 backends is empty; list one at least',
      '4:13 service a is there twice; give each service a name of its own',
      '4:36 tcp://:80 is taken by service a; listen on each address once',
    ]);
  });

  it('is shown once, at the anchor, though aliases repeat it', () => {
    const text = 'services:\n  - &a { name: a, listen: :1, backends: [x:1], zz: 1 }\n  - *a\n';
    assert.deepEqual(problemsOf(text), [`2:48 unknown key "zz"; use one of ${serviceKeys}`]);
  });

  it('is an error that speaks of the first and counts the others', () => {
    assert.throws(() => parseConfig(service('retries: -1'), 'edge.yaml'), {
      code: 'ERR_SLUICE_CONFIG',
      exitCode: ExitCode.configInvalid,
      message: 'retries must be 0 or more, not -1',
      place: 'edge.yaml:5:14',
      remedy: undefined,
    });
    assert.throws(() => parseConfig('hello: 1', 'x'), {
      message: 'services is missing (and 1 more problem)',
    });
    assert.throws(() => parseConfig('a: 1\nb: 1', 'x'), { message: /\(and 2 more problems\)$/ });
  });

  it('may be aliases that would fill the memory', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`)}]`);
    assert.match(problemsOf(['l0: &l0 [a]', ...levels].join('\n'))[0]!, /^1:1 Excessive alias count/);
  });

  it('may be a list without a bottom', () => {
    assert.match(problemsOf('['.repeat(10_000)).join(), /nested too deeply/);
  });
});

describe('any text at all', () => {
  const scalar = fc.constantFrom(
    ...[
      ':80',
      'a:1',
      '[::1]:80',
      'udp://x:1=2',
      'tcp',
      'http:/',
      '5s',
      '0',
      '1',
      '-1',
      '1.5',
      'null',
      'true',
      '""',
    ],
    ...['{', '[', '*a', '&a', '!x', '%', '@', "'", '|', '- ', '? ', 'proxy', 'none', '.inf', '1e400', '~'],
  );
  const key = fc.constantFrom(
    ...[
      'name',
      'services',
      'listen',
      'backends',
      'check',
      'type',
      'mode',
      'weight',
      'address',
      'retries',
      'status',
    ],
    ...[
      'metrics',
      'control',
      'drain',
      'hash-seed',
      'idle-timeout',
      '__proto__',
      'constructor',
      'toString',
      '<<',
      '1',
    ],
  );
  const line = fc
    .tuple(fc.nat(4), fc.constantFrom('', '- '), key, scalar)
    .map(([indent, dash, key, scalar]) => `${'  '.repeat(indent)}${dash}${key}: ${scalar}`);
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(':80', 'a:1', 'tcp', 'http', '5s', 0, 1, -1, 1.5, Number.NaN, null, true, '', 'x\ny'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
    ),
  }));

  it('is read or refused with the place, message and remedy each on one line', () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
      tree.map((value) => stringify(value)),
      tree.map((value) =>
        stringify({ services: [{ name: 'a', listen: ':1', backends: ['a:1'], check: value }] }),
      ),
    );
    fc.assert(
      fc.property(text, (text) => {
        for (const problem of problemsOf(text)) assert.match(problem, /^\d+:\d+ [^\n]+$/);
      }),
      { numRuns: 300 },
    );
  });
});
