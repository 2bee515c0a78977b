/** What a configuration says of mode dsr: what it means, and every mistake that can be made in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dsrInstanceFromArguments, withPaths } from '../../lib/config/one-liner.ts';
import { ConfigError, parseConfig } from '../../lib/config/parse.ts';
import { ExitCode } from '../../lib/model/errors.ts';
import { defaultDsrPathSpec, defaultDsrSpec } from '../../lib/model/spec.ts';

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

const least = { listen: '192.0.2.1:80', backends: ['10.0.0.1', '10.0.0.2=2'] };

/** One service of mode dsr, with keys of it in line 2 and keys of the instance in line 1. */
function file({ listen = '"192.0.2.1:80"', backends = '"10.0.0.1"', keys = '', dsr = '' }): string {
  return `dsr: { ${dsr} }
services: [{ name: web, mode: dsr, listen: ${listen}, backends: [${backends}]${keys === '' ? '' : `, ${keys}`} }]
`;
}

describe('mode dsr in a configuration', () => {
  it('needs no more than a VIP and backends, which have no port', () => {
    const { dsr, services } = parseConfig(file({ backends: '10.0.0.1, "[fd00::1]=3"' }), 'f');
    assert.deepEqual(dsr, defaultDsrPathSpec);
    assert.deepEqual(
      services.map(({ mode, balance, dsr, backends }) => ({ mode, balance, dsr, backends })),
      [
        {
          mode: 'dsr',
          balance: 'maglev',
          dsr: defaultDsrSpec,
          backends: [
            { name: '10.0.0.1', host: '10.0.0.1', port: 0, weight: 1 },
            { name: 'fd00::1', host: 'fd00::1', port: 0, weight: 3 },
          ],
        },
      ],
    );
  });

  it('can say everything', () => {
    const { dsr, services } = parseConfig(
      file({
        backends: '{ address: 10.0.0.1, weight: 0, name: one }, { address: "[fd00::1]" }',
        keys: 'encap: ipip, outer-source: ["10.7.0.9/24", "FD07::9"], balance: source',
        dsr: 'workers: 4, probe-ports: 1000-2000, new-flows: 5, max-flows: 1000000, on-failure: bypass, add-vip: eth0, timeouts: { established: 1h }',
      }),
      'f',
    );
    assert.deepEqual(dsr, {
      workers: 4,
      probePorts: [1_000, 2_000],
      newFlows: 5,
      maxFlows: 1_000_000,
      onFailure: 'bypass',
      addVip: 'eth0',
      timeouts: { established: 3_600_000 },
    });
    assert.deepEqual(services[0]!.dsr, { encapsulation: 'ipip', outerSource: ['10.7.0.0/24', 'fd07::9'] });
    assert.deepEqual(
      services[0]!.backends.map(({ name }) => name),
      ['one', 'fd00::1'],
    );
  });

  for (const [given, meaning] of [
    ['auto', 'auto'],
    ['10.7.0.0/16', ['10.7.0.0/16']],
    ['10.7.0.1, fd07::/96', ['10.7.0.1', 'fd07::/96']],
  ] as const) {
    it(`takes ${given} for where tunnels begin`, () => {
      const { services } = parseConfig(file({ keys: `outer-source: "${given}"` }), 'f');
      assert.deepEqual(services[0]!.dsr.outerSource, meaning);
    });
  }

  it('may tunnel either family in the other, and be reached by names', () => {
    assert.deepEqual(problemsOf(file({ listen: '"[2001:db8::1]:80"' })), []);
    assert.deepEqual(problemsOf(file({ backends: '"[fd00::1]", web.internal' })), []);
    assert.deepEqual(problemsOf(file({ backends: '"[fd00::1]"', keys: 'encap: l2' })), []);
  });
});

describe('a mistake in mode dsr', () => {
  for (const [given, ...problems] of [
    [
      { listen: '":80"' },
      '2:44 a VIP of mode dsr is one address, which its backends have too; name it, as in 192.0.2.10:80',
    ],
    [
      { listen: '"0.0.0.0:80"' },
      '2:44 a VIP of mode dsr is one address, which its backends have too; name it, as in 192.0.2.10:80',
    ],
    [{ listen: '"192.0.2.1:0"' }, '2:44 a VIP has no port 0; name the port that clients use'],
    [
      { listen: '"127.0.0.1:80"' },
      '2:44 127.0.0.1 cannot be a VIP: what arrives from outside is never delivered to a loopback address; use an address of an interface, or mode proxy',
    ],
    [
      { backends: '10.0.0.1:80' },
      "2:71 10.0.0.1:80 has a port, and in mode dsr backends get the VIP's; write 10.0.0.1",
    ],
    [
      { backends: '"[fd00::1]:80"' },
      "2:71 [fd00::1]:80 has a port, and in mode dsr backends get the VIP's; write [fd00::1]",
    ],
    [{ backends: '"fd00::1"' }, '2:71 "fd00::1" is not an address: IPv6 needs brackets; write [fd00::1]'],
    [
      { backends: '192.0.2.1' },
      '2:71 backend 192.0.2.1 is the VIP itself; name an address that the backend has beside the VIP',
    ],
    [
      { backends: '127.0.0.1' },
      '2:71 backend 127.0.0.1 cannot be reached: what arrives from outside is never delivered to a loopback address; have it listen on an address of an interface, or use mode proxy',
    ],
    [
      { listen: '"[2001:db8::1]:80"', keys: 'encap: l2' },
      '2:75 backend 10.0.0.1 is IPv4 and a VIP of its service IPv6, which takes a tunnel; name its IPv6 address, or use encap gre',
    ],
    [{ keys: 'encap: vxlan' }, '2:91 encap "vxlan" is unknown; use gre, ipip, l2'],
    [
      { keys: 'encap: l2, outer-source: 10.0.0.9' },
      '2:109 outer-source has no meaning with encap l2; leave it out',
    ],
    [
      { keys: 'outer-source: 10.0.0.0/33' },
      '2:98 "10.0.0.0/33" is not a source of tunnels; write ADDRESS or ADDRESS/BITS, several with commas between them, or auto',
    ],
    [
      { keys: 'outer-source: "fd07::/96"' },
      '2:98 outer-source has no IPv4 address for the backends that are IPv4; add one, or write auto',
    ],
    [
      { keys: 'check: { type: tcp, port: 81 }' },
      '2:110 a check of mode dsr goes through the tunnel to the port of the VIP; leave port out, or use exec',
    ],
    [
      { listen: '"udp://192.0.2.1:53"', keys: 'check: tcp' },
      '2:97 a tcp check of mode dsr goes to a VIP of TCP, and the service has none; use another check',
    ],
    [
      { keys: 'check: "udp:00"' },
      '2:91 a udp check of mode dsr goes to a VIP of UDP, and the service has none; use another check',
    ],
    [{ keys: 'snat: none' }, '2:84 snat belongs to mode nat, and this service is of mode dsr; leave it out'],
    [{ dsr: 'new-flows: 0' }, '1:19 new-flows must be 1 or more, not 0; undefined'],
    [
      { dsr: 'probe-ports: many' },
      '1:21 "many" is not a range of ports; write FIRST-LAST, from 1 to 65535, as in 61000-65535',
    ],
  ] as const) {
    it(`is found: ${JSON.stringify(given)}`, () => assert.deepEqual(problemsOf(file(given)), problems));
  }

  it('is a key of dsr in another mode', () => {
    assert.deepEqual(problemsOf('services: [{ name: a, encap: gre, listen: ":1", backends: [a:1] }]'), [
      '1:23 encap belongs to mode dsr, and this service is of mode proxy; leave it out',
    ]);
  });

  it('is a backend without a port in another mode, however it is written', () => {
    assert.deepEqual(
      problemsOf('services: [{ name: a, listen: ":1", backends: [a, { address: b, weight: 2 }, a:1] }]'),
      [
        '1:48 "a" is not an address: the port is missing; add one, as in a:80',
        '1:62 "b" is not an address: the port is missing; add one, as in b:80',
      ],
    );
  });

  it('is to check from ports that answers to packets of mode nat come to', () => {
    const text = `dsr: { probe-ports: 60000-62000 }
services:
  - { name: a, mode: dsr, listen: "192.0.2.1:80", backends: [10.0.0.1] }
  - { name: b, mode: nat, listen: "192.0.2.2:80", backends: ["10.0.0.1:80"] }`;
    assert.deepEqual(problemsOf(text), [
      '1:21 probe-ports 60000-62000 overlap with snat-ports 61000-65535; choose other probe-ports',
    ]);
    assert.deepEqual(problemsOf(text.replace(/\n.*mode: nat.*/, '')), []);
  });
});

describe('the arguments of sluice dsr', () => {
  it('are the file that they stand for', () => {
    assert.deepEqual(
      dsrInstanceFromArguments(least),
      parseConfig(
        '{ name: dsr, services: [{ name: dsr, mode: dsr, listen: 192.0.2.1:80, backends: [10.0.0.1, 10.0.0.2=2] }] }',
        'f',
      ),
    );
    assert.deepEqual(
      dsrInstanceFromArguments({
        ...least,
        name: 'edge',
        balance: 'random',
        encap: 'ipip',
        outerSource: '10.7.0.0/24',
        whenAllDown: 'drop',
        workers: 2,
        probePorts: '7000-8000',
        newFlows: 9,
        maxFlows: 4_096,
        onFailure: 'bypass',
        addVip: 'eth0',
        check: 'none',
      }),
      parseConfig(
        `{ name: edge, dsr: { workers: 2, probe-ports: 7000-8000, new-flows: 9, max-flows: 4096, on-failure: bypass, add-vip: eth0 },
          services: [{ name: edge, mode: dsr, listen: 192.0.2.1:80, backends: [10.0.0.1, 10.0.0.2=2],
          balance: random, encap: ipip, outer-source: 10.7.0.0/24, when-all-down: drop, check: none }] }`,
        'f',
      ),
    );
  });

  for (const [given, message, place] of [
    [{ encap: 'vxlan' }, 'encap "vxlan" is unknown', '--encap'],
    [{ outerSource: 'me' }, '"me" is not a source of tunnels', '--outer-source'],
    [{ probePorts: 'all' }, '"all" is not a range of ports', '--probe-ports'],
    [{ newFlows: 0 }, 'new-flows must be 1 or more, not 0', '--new-flows'],
    [
      { backends: ['10.0.0.1:80'] },
      "10.0.0.1:80 has a port, and in mode dsr backends get the VIP's",
      undefined,
    ],
    [
      { check: 'udp:00' },
      'a udp check of mode dsr goes to a VIP of UDP, and the service has none',
      '--check',
    ],
  ] as const) {
    it(`are refused as a usage error: ${message}`, () => {
      assert.throws(() => dsrInstanceFromArguments({ ...least, ...given }), {
        code: 'ERR_SLUICE_USAGE',
        exitCode: ExitCode.usage,
        message,
        place,
      });
    });
  }

  it('win over a file where they speak of the packet paths, whatever their mode', () => {
    const spec = parseConfig(file({ dsr: 'workers: 2, on-failure: bypass' }), 'f');
    const { dsr, nat } = withPaths(spec, { workers: 3, addVip: 'eth1', newFlows: 7 });
    assert.deepEqual(dsr, { ...spec.dsr, workers: 3, addVip: 'eth1', newFlows: 7 });
    assert.deepEqual(nat, { ...spec.nat, workers: 3, addVip: 'eth1' });
  });
});
