/**
 * What becomes of packets in rulesets as they are found on machines: of Docker, ufw and firewalld, as the tools print
 * them, shortened.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readIptables } from '../../../lib/doctor/rules/iptables-save.ts';
import { readNft, tableNames } from '../../../lib/doctor/rules/nft-list.ts';
import type { BaseChain, Match } from '../../../lib/doctor/rules/rule.ts';
import { fates, type Packet } from '../../../lib/doctor/rules/walk.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

const docker = readIptables(fixture('docker.iptables-save'), 'iptables');
const ufw = readIptables(fixture('ufw.iptables-save'), 'iptables');
const firewalld = readNft(fixture('firewalld.nft.json'), () => false);

const tcp = 6;
const udp = 17;

/** From the client's side to a backend, rewritten. */
const request: Packet = {
  family: 4,
  protocol: tcp,
  source: '10.2.0.1',
  destination: '10.2.0.2',
  destinationPort: 8080,
  out: 'eth1',
  state: 'untracked',
  local: false,
};

/** To a socket of the machine. */
const client: Packet = { family: 4, protocol: tcp, destinationPort: 80, state: 'new', local: true };

function endingsOf(chains: readonly BaseChain[], title: string, packet: Packet): string {
  const chain = chains.find((each) => each.title.endsWith(title))!;
  return fates(chain, packet)
    .map(({ ending, rule }) => (rule === undefined ? `${ending} by policy` : ending))
    .join(', ');
}

interface Row {
  readonly what: string;
  readonly chains: readonly BaseChain[];
  readonly title: string;
  readonly packet: Packet;
  readonly endings: string;
}

const rows: readonly Row[] = [
  {
    what: 'Docker drops what is sent on between other interfaces',
    chains: docker,
    title: 'filter FORWARD',
    packet: { ...request, in: 'eth0' },
    endings: 'drop by policy',
  },
  {
    what: 'Docker may accept what comes in by an interface that is not known',
    chains: docker,
    title: 'filter FORWARD',
    packet: request,
    endings: 'accept, drop by policy',
  },
  {
    what: 'Docker lets its own containers through',
    chains: docker,
    title: 'filter FORWARD',
    packet: { ...request, in: 'docker0' },
    endings: 'accept',
  },
  {
    what: 'Docker takes the clients of a port that it publishes',
    chains: docker,
    title: 'nat PREROUTING',
    packet: { ...client, destinationPort: 8080, in: 'eth0' },
    endings: 'divert',
  },
  {
    what: 'Docker leaves them alone at an address that the machine has not',
    chains: docker,
    title: 'nat PREROUTING',
    packet: { ...client, destinationPort: 8080, in: 'eth0', local: false },
    endings: 'accept by policy',
  },
  {
    what: 'ufw drops what is sent on',
    chains: ufw,
    title: 'filter FORWARD',
    packet: request,
    endings: 'drop by policy',
  },
  {
    what: 'ufw accepts a port that was allowed',
    chains: ufw,
    title: 'filter INPUT',
    packet: { ...client, destinationPort: 8081, in: 'eth0' },
    endings: 'accept',
  },
  {
    what: 'ufw drops what was not',
    chains: ufw,
    title: 'filter INPUT',
    packet: { ...client, destinationPort: 9000, in: 'eth0' },
    endings: 'drop by policy',
  },
  {
    what: 'ufw may limit ssh',
    chains: ufw,
    title: 'filter INPUT',
    packet: { ...client, destinationPort: 22, in: 'eth0' },
    endings: 'drop, accept',
  },
  {
    what: 'ufw lets its own machine through',
    chains: ufw,
    title: 'filter INPUT',
    packet: { ...client, destinationPort: 9000, in: 'lo' },
    endings: 'accept',
  },
  {
    what: 'firewalld rejects what is sent on between zones that no policy joins',
    chains: firewalld,
    title: 'filter_FORWARD',
    packet: { ...request, in: 'wlan0' },
    endings: 'drop',
  },
  {
    what: 'firewalld accepts what a policy allows',
    chains: firewalld,
    title: 'filter_FORWARD',
    packet: { ...request, in: 'eth0' },
    endings: 'accept',
  },
  {
    what: 'firewalld accepts a source of a named set',
    chains: firewalld,
    title: 'filter_FORWARD',
    packet: { ...request, source: '10.0.0.1', destinationPort: 9, in: 'eth0' },
    endings: 'accept',
  },
  {
    what: 'firewalld rejects a port that is not in its set',
    chains: firewalld,
    title: 'filter_FORWARD',
    packet: { ...request, destinationPort: 9, in: 'eth2' },
    endings: 'drop',
  },
  {
    what: 'firewalld may drop IPv6 that fails the reverse path test',
    chains: firewalld,
    title: 'filter_PREROUTING',
    packet: { ...request, family: 6, source: 'fd02::1', destination: 'fd02::2' },
    endings: 'drop, accept by policy',
  },
  {
    what: 'firewalld tests no reverse path of IPv4',
    chains: firewalld,
    title: 'filter_PREROUTING',
    packet: request,
    endings: 'accept by policy',
  },
  {
    what: 'a verdict map leads to a chain',
    chains: firewalld,
    title: 'filter_INPUT',
    packet: { ...client, source: '10.9.9.9', destination: '10.2.3.4' },
    endings: 'accept',
  },
  {
    what: 'a named verdict map drops',
    chains: firewalld,
    title: 'filter_INPUT',
    packet: { ...client, source: '10.0.0.66' },
    endings: 'drop',
  },
  {
    what: 'a set of protocols accepts DNS',
    chains: firewalld,
    title: 'filter_INPUT',
    packet: { ...client, source: '10.9.9.9', protocol: udp, destinationPort: 53 },
    endings: 'accept',
  },
  {
    what: 'an inequality drops other datagrams',
    chains: firewalld,
    title: 'filter_INPUT',
    packet: { ...client, source: '10.9.9.9', protocol: udp, destinationPort: 54 },
    endings: 'drop',
  },
  {
    what: 'a protocol without ports is accepted by its name',
    chains: firewalld,
    title: 'filter_INPUT',
    packet: { family: 4, protocol: 47, source: '10.9.9.9', state: 'new', local: true },
    endings: 'accept',
  },
];

describe('a packet in the rules of others', () => {
  for (const { what, chains, title, packet, endings } of rows) {
    it(what, () => assert.equal(endingsOf(chains, title, packet), endings));
  }

  it('is of one family', () => {
    assert.equal(endingsOf(docker, 'filter FORWARD', { ...request, family: 6 }), '');
  });

  it('does not come back from where it has gone to', () => {
    const rules = (word: string) =>
      `*filter\n:FORWARD ACCEPT [0:0]\n:a - [0:0]\n-A FORWARD ${word} a\n-A FORWARD -j DROP\n-A a -j MARK\nCOMMIT\n`;
    assert.equal(endingsOf(readIptables(rules('-j'), 'iptables'), 'FORWARD', request), 'drop');
    assert.equal(endingsOf(readIptables(rules('-g'), 'iptables'), 'FORWARD', request), 'accept by policy');
  });

  it('does not go round for ever', () => {
    const loop = '*filter\n:FORWARD ACCEPT [0:0]\n:a - [0:0]\n-A FORWARD -j a\n-A a -j a\nCOMMIT\n';
    assert.equal(endingsOf(readIptables(loop, 'iptables'), 'FORWARD', request), 'accept by policy');
  });
});

describe('a rule of iptables', () => {
  const endings = (rule: string, packet: Packet): string =>
    endingsOf(
      readIptables(`*filter\n:FORWARD ACCEPT [0:0]\n${rule}\nCOMMIT\n`, 'iptables'),
      'FORWARD',
      packet,
    );

  for (const [rule, expected] of [
    ['-A FORWARD -d 10.2.0.0/255.255.0.0 -j DROP', 'drop'],
    ['-A FORWARD -d 10.3.0.0/255.255.0.0 -j DROP', 'accept by policy'],
    ['-A FORWARD ! -d 10.2.0.2/32 -j DROP', 'accept by policy'],
    ['-A FORWARD -o eth+ -j DROP', 'drop'],
    ['-A FORWARD ! -o eth+ -j DROP', 'accept by policy'],
    ['-A FORWARD -p gre -j DROP', 'accept by policy'],
    ['-A FORWARD -p 6 -j DROP', 'drop'],
    ['-A FORWARD -p tcp -m comment --comment "a b -j ACCEPT" -j DROP', 'drop'],
    ['-A FORWARD -m limit --limit 3/min -j DROP', 'drop, accept by policy'],
    ['-A FORWARD -m conntrack --ctstate INVALID -j DROP', 'accept by policy'],
    ['-A FORWARD -m conntrack --ctstatus DNAT -j DROP', 'accept by policy'],
    ['-A FORWARD -m conntrack ! --ctstate INVALID -j DROP', 'drop'],
    ['-A FORWARD -p tcp -m tcp --sport 80 -j DROP', 'drop, accept by policy'],
    ['-A FORWARD -j MARK --set-xmark 0x1/0xffffffff', 'accept by policy'],
    ['-A FORWARD -j NFQUEUE --queue-num 0', 'queue'],
  ] as const) {
    it(`${rule}: ${expected}`, () => assert.equal(endings(rule, request), expected));
  }

  it('is taken away by the command that it tells', () => {
    const [chain] = readIptables(
      '*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j DROP\n',
      'ip6tables',
    );
    assert.equal(chain!.rules[0]!.removal, 'ip6tables -t raw -D PREROUTING -p tcp -j DROP');
    assert.equal(chain!.family, 6);
  });
});

describe('a rule of nft', () => {
  const endings = (op: string, port: number): string => {
    const place = { family: 'inet', table: 't', name: 'forward' };
    const rule = {
      family: 'inet',
      table: 't',
      chain: 'forward',
      handle: 1,
      expr: [
        { match: { op, left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } },
        { drop: null },
      ],
    };
    const nftables = [{ chain: { ...place, hook: 'forward', prio: 0, policy: 'accept' } }, { rule }];
    return endingsOf(
      readNft(JSON.stringify({ nftables }), () => false),
      'forward',
      request,
    );
  };

  it('may ask for the opposite', () => {
    assert.equal(endings('==', 8080), 'drop');
    assert.equal(endings('!=', 8080), 'accept by policy');
    assert.equal(endings('!=', 80), 'drop');
  });

  it('may ask what is not understood', () => {
    assert.equal(endings('<', 80), 'drop, accept by policy');
  });
});

describe('a command that accepts packets', () => {
  const match: Match = {
    family: 4,
    protocol: tcp,
    destinations: ['10.2.0.2', '10.3.0.2'],
    destinationPort: 8080,
  };
  const first = (chains: readonly BaseChain[], wanted: Match): string =>
    chains.find(({ hook }) => hook === 'forward')!.acceptFirst(wanted);

  it('is one of iptables where the chain is', () => {
    assert.equal(
      first(docker, match),
      'iptables -I FORWARD -d 10.2.0.2,10.3.0.2 -p tcp --dport 8080 -j ACCEPT',
    );
    assert.equal(
      first(docker, { family: 4, protocol: tcp, sources: ['10.9.0.1'], sourcePort: 80 }),
      'iptables -I FORWARD -s 10.9.0.1 -p tcp --sport 80 -j ACCEPT',
    );
  });

  it('is one of nft where the chain is', () => {
    assert.equal(
      first(firewalld, match),
      "nft insert rule inet firewalld filter_FORWARD ip daddr '{ 10.2.0.2, 10.3.0.2 }' tcp dport 8080 accept",
    );
    assert.equal(
      first(firewalld, { family: 6, protocol: 47, destinations: ['fd02::2'] }),
      'nft insert rule inet firewalld filter_FORWARD ip6 daddr fd02::2 meta l4proto gre accept',
    );
  });
});

describe('the list of nft', () => {
  it('leaves out tables that are known in another way', () => {
    assert.deepEqual(tableNames(fixture('firewalld.nft.json')), ['firewalld']);
    assert.deepEqual(
      readNft(fixture('firewalld.nft.json'), (family, table) => family === 'inet' && table === 'firewalld'),
      [],
    );
  });
});
