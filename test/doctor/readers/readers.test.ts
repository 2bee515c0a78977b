/** What the readers make of files and of what tools print. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readKernelFacts } from '../../../lib/doctor/readers/kernel.ts';
import { type Route, readLinks, readRoutes } from '../../../lib/doctor/readers/network.ts';
import { readPathMtus } from '../../../lib/doctor/readers/path-mtu.ts';
import { readProcessFacts } from '../../../lib/doctor/readers/process.ts';
import { readRules } from '../../../lib/doctor/readers/rules.ts';
import { readListeners } from '../../../lib/doctor/readers/sockets.ts';
import { readVipPlaces } from '../../../lib/doctor/readers/vip-places.ts';
import { complaint, memoryMachine } from '../memory-machine.ts';

describe('a process', () => {
  it('has the limits that /proc tells', () => {
    const files = {
      '/proc/self/limits':
        'Limit Soft Hard Units\nMax open files            1024                 524288               files\n',
      '/proc/sys/net/ipv4/ip_unprivileged_port_start': '80\n',
    };
    const { openFiles, firstOpenPort } = readProcessFacts(memoryMachine({ files }));
    assert.deepEqual([openFiles, firstOpenPort], [524_288, 80]);
  });
});

describe('the kernel', () => {
  const answers = {
    nft: '',
    ip: '',
    unshare: (words: readonly string[]) => {
      if (words.includes('gre')) return '';
      throw complaint('ip', words.includes('ipip') ? 'Error: Unknown device type.' : 'unshare failed: EPERM');
    },
  };

  it('is asked for what it has', async () => {
    const files = {
      '/proc/sys/kernel/osrelease': '6.1.0\n',
      '/lib/modules/6.1.0/modules.dep':
        'kernel/net/netfilter/nfnetlink_queue.ko: kernel/net/netfilter/nfnetlink.ko\n',
      '/etc/os-release': 'PRETTY_NAME="Rocky Linux 9"\nID="rocky"\nID_LIKE="rhel centos fedora"\n',
    };
    const facts = await readKernelFacts(
      memoryMachine({ files, commands: answers, queueError: 'ERR_NFQ_UNSUPPORTED' }),
    );
    assert.deepEqual(facts, {
      release: '6.1.0',
      distributions: ['rocky', 'rhel', 'centos', 'fedora'],
      queueError: 'ERR_NFQ_UNSUPPORTED',
      hasQueueModule: true,
      tools: new Set(['ip', 'nft']),
      ruleTool: 'nft',
      ruleComplaint: '',
      canSpread: true,
      rawSocketError: undefined,
      tunnels: { gre: true, ip6gre: undefined, ipip: false, ip6tnl: undefined },
      hasTun: false,
    });
  });

  it('tells why no tool can bring rules in', async () => {
    const { ruleTool, ruleComplaint, tools } = await readKernelFacts(memoryMachine());
    assert.deepEqual([ruleTool, tools.size], [undefined, 0]);
    assert.match(ruleComplaint, /nft: not found/);
  });

  it('may have less than several workers take', async () => {
    const commands = { 'iptables-restore': '' };
    assert.equal((await readKernelFacts(memoryMachine({ commands }))).canSpread, true);
    const machine = memoryMachine({ commands });
    const run: typeof machine.run = async (program, words, input) => {
      if (input?.includes('HMARK')) throw complaint(program, 'Extension HMARK is not supported');
      return machine.run(program, words, input);
    };
    const { ruleTool, canSpread } = await readKernelFacts({ ...machine, run });
    assert.deepEqual([ruleTool, canSpread], ['iptables', false]);
  });
});

describe('the network', () => {
  it('is told by ip in JSON', async () => {
    const commands = {
      'ip -json address show':
        '[{"ifname":"eth0","mtu":9000,"addr_info":[{"local":"fd00::1","prefixlen":64,"dadfailed":true}]}]',
      'ip -json route get 10.2.0.2':
        '[{"dst":"10.2.0.2","gateway":"10.1.0.254","dev":"eth0","prefsrc":"10.1.0.1"}]',
      'ip -json route get 10.1.0.1': '[{"type":"local","dst":"10.1.0.1","dev":"lo","prefsrc":"10.1.0.1"}]',
      ip: () => {
        throw complaint('ip', 'RTNETLINK answers: Network is unreachable');
      },
      ethtool: 'Features for eth0:\nlarge-receive-offload: on\n',
    };
    const machine = memoryMachine({ commands });
    assert.deepEqual(await readLinks(machine), [
      {
        name: 'eth0',
        mtu: 9_000,
        addresses: [{ address: 'fd00::1', isDuplicate: true }],
        mergesPackets: true,
      },
    ]);
    const routes = await readRoutes(new Set(['10.2.0.2', '10.1.0.1', '10.9.9.9']), machine);
    assert.deepEqual(
      [...routes],
      [
        ['10.2.0.2', { isLocal: false, link: 'eth0', gateway: '10.1.0.254', source: '10.1.0.1' }],
        ['10.1.0.1', { isLocal: true, link: 'lo', gateway: undefined, source: '10.1.0.1' }],
      ],
    );
  });
});

describe('a path', () => {
  /** What becomes of echo requests, by their size with headers. */
  const pathOf = async (
    answer: (bytes: number) => 'passes' | 'lost' | { readonly mtu: number },
    headers = 28,
  ) => {
    const ping = (words: readonly string[]) => {
      const fate = answer(Number(words[words.indexOf('-s') + 1]) + headers);
      if (fate === 'passes') return '';
      throw complaint(
        'ping',
        fate === 'lost' ? 'Command failed: ping' : `local error: message too long, mtu=${fate.mtu}`,
      );
    };
    const address = headers === 28 ? '10.2.0.2' : 'fd02::2';
    const found = await readPathMtus(new Map([[address, 1_500]]), memoryMachine({ commands: { ping } }));
    return found.get(address);
  };

  it('carries what its link carries', async () => {
    assert.deepEqual(await pathOf(() => 'passes'), { mtu: 1_500, isBlackHole: false });
    assert.deepEqual(await pathOf((bytes) => (bytes === 1_500 ? 'passes' : 'lost'), 48), {
      mtu: 1_500,
      isBlackHole: false,
    });
  });

  it('is narrower where a router says so', async () => {
    assert.deepEqual(await pathOf(() => ({ mtu: 1_400 })), { mtu: 1_400, isBlackHole: false });
  });

  it('is a black hole where nobody says so', async () => {
    assert.deepEqual(await pathOf((bytes) => (bytes <= 1_450 ? 'passes' : 'lost')), {
      mtu: 1_450,
      isBlackHole: true,
    });
  });

  it('is not known where nothing is answered', async () => {
    assert.deepEqual(await pathOf(() => 'lost'), { mtu: undefined, isBlackHole: false });
  });
});

describe('the place of a VIP', () => {
  const links = [
    {
      name: 'lo',
      mtu: 65_536,
      addresses: [{ address: '10.0.0.1', isDuplicate: false }],
      mergesPackets: false,
    },
    {
      name: 'eth0',
      mtu: 1_500,
      addresses: [{ address: '10.1.0.1', isDuplicate: false }],
      mergesPackets: false,
    },
  ];
  const route: Route = { isLocal: false, link: 'eth0', gateway: undefined, source: '10.1.0.1' };
  const routes = new Map([
    ['10.1.0.9', route],
    ['10.9.0.1', { ...route, gateway: '10.1.0.254' }],
  ]);
  const nobody = '[{"dst":"10.1.0.9","dev":"eth0","state":["INCOMPLETE"]}]';
  const place = async (vip: string, shown = nobody, addVip?: string) => {
    const commands = {
      'ip -json neighbour show': '[{"dst":"10.1.0.7","lladdr":"02:00:00:00:00:01","state":["STALE"]}]',
      ip: (words: readonly string[]) => (words.includes('show') ? shown : ''),
    };
    const machine = memoryMachine({ commands });
    const places = await readVipPlaces(
      new Set([vip]),
      { links, routes, linkOf: new Map(addVip === undefined ? [] : [[vip, addVip]]) },
      machine,
    );
    const asked = machine.ran.filter((command) => command.includes('replace'));
    assert.equal(machine.ran.filter((command) => command.includes('delete')).length, asked.length);
    return { ...places.get(vip)!, asked };
  };

  it('is asked for on its link, and the question is taken back', async () => {
    const { link, holder, asked } = await place('10.1.0.9');
    assert.deepEqual(
      [link, holder, asked],
      ['eth0', undefined, ['ip neighbour replace 10.1.0.9 dev eth0 use']],
    );
  });

  it('is another’s who answers', async () => {
    const shown = '[{"dst":"10.1.0.9","dev":"eth0","lladdr":"02:00:00:00:00:01","state":["REACHABLE"]}]';
    const { holder, holderAddress } = await place('10.1.0.9', shown);
    assert.deepEqual([holder, holderAddress], ['02:00:00:00:00:01', '10.1.0.7']);
  });

  it('is asked for even where it is ours, but not on lo', async () => {
    assert.deepEqual((await place('10.1.0.1')).asked.length, 1);
    const { own, link, asked } = await place('10.0.0.1');
    assert.deepEqual([own, link, asked], ['lo', undefined, []]);
  });

  it('behind a router is no link of ours, unless it is to be put on one', async () => {
    assert.equal((await place('10.9.0.1')).link, undefined);
    assert.equal((await place('10.9.0.1', nobody, 'eth0')).link, 'eth0');
  });
});

describe('a listener', () => {
  it('is a line of ss', async () => {
    const shown = `tcp   LISTEN 0      511          0.0.0.0:80        0.0.0.0:*    users:(("nginx",pid=42,fd=6),("nginx",pid=41,fd=6))
tcp   LISTEN 0      4096            [::]:443          [::]:*
udp   UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*    users:(("systemd-resolve",pid=7,fd=13))
tcp   LISTEN 0      5                  *:8080            *:*
`;
    const files = {
      '/proc/42/cgroup': '0::/system.slice/nginx.service\n',
      '/proc/7/cgroup': '0::/user.slice\n',
    };
    const listeners = await readListeners(memoryMachine({ files, commands: { ss: shown } }));
    const rows = listeners!.map(({ protocol, address, port, program, pid, unit }) =>
      [protocol, address, port, program, pid, unit].join(' '),
    );
    assert.deepEqual(rows, [
      'tcp  80 nginx 42 nginx.service',
      'tcp  443   ',
      'udp 127.0.0.53 53 systemd-resolve 7 ',
      'tcp  8080   ',
    ]);
  });

  it('is not known without ss', async () => {
    assert.equal(await readListeners(memoryMachine()), undefined);
  });
});

describe('rules', () => {
  const save = `# Generated by iptables-save v1.8.9 (nf_tables)
*raw
:PREROUTING ACCEPT [0:0]
:sluice-web - [0:0]
:sluice-web/0 - [0:0]
:sluice-web/dsr - [0:0]
:sluice-web/dsr/src - [0:0]
-A PREROUTING -p tcp -j DROP
-A PREROUTING ! -i lo -j sluice-web
-A PREROUTING -p udp -j DROP
COMMIT
`;
  const listed = (family: string, table: string) =>
    JSON.stringify({
      nftables: [
        { table: { family, name: table } },
        {
          chain: {
            family,
            table,
            name: 'one',
            type: 'filter',
            hook: 'prerouting',
            prio: -300,
            policy: 'accept',
          },
        },
      ],
    });

  it('are read up to those that lead to ours', async () => {
    const facts = await readRules(memoryMachine({ commands: { 'iptables-save': save } }));
    assert.deepEqual(
      facts!.chains.map(({ rules }) => rules.map(({ text }) => text)),
      [['-A PREROUTING -p tcp -j DROP']],
    );
    assert.deepEqual([...facts!.ours.keys()], ['sluice-web', 'sluice-web/dsr']);
  });

  it('that nft and iptables have in common are read once', async () => {
    const titles = async (family: string, table: string) => {
      const commands = { 'iptables-save': save, nft: listed(family, table) };
      return (await readRules(memoryMachine({ commands })))!.chains.map(({ title }) => title);
    };
    assert.deepEqual(await titles('ip', 'raw'), ['iptables raw PREROUTING']);
    assert.deepEqual(await titles('ip6', 'raw'), ['iptables raw PREROUTING', 'nft ip6 raw one']);
    assert.deepEqual(await titles('inet', 'sluice-web'), ['iptables raw PREROUTING']);
  });

  it('are not known where no tool may look', async () => {
    assert.equal(await readRules(memoryMachine()), undefined);
  });
});
