/** The way of packets through a machine: what the checks make of VIPs, ports, paths and other people's rules. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDecapsulation } from '../../../lib/doctor/checks/decapsulation.ts';
import { checkFirewall } from '../../../lib/doctor/checks/firewall.ts';
import { checkOtherPrograms } from '../../../lib/doctor/checks/other-programs.ts';
import { checkPathMtu } from '../../../lib/doctor/checks/paths.ts';
import { checkPortTaken, checkSnatPorts } from '../../../lib/doctor/checks/ports.ts';
import { checkVips } from '../../../lib/doctor/checks/vips.ts';
import type { DoctorMode } from '../../../lib/doctor/modes.ts';
import type { Listener } from '../../../lib/doctor/readers/sockets.ts';
import type { VipPlace } from '../../../lib/doctor/readers/vip-places.ts';
import { readIptables } from '../../../lib/doctor/rules/iptables-save.ts';
import type { EncapsulationName } from '../../../lib/model/encapsulation.ts';
import { caseOf, service, told, well } from '../well.ts';

const vip = '10.1.0.1';

describe('the MTU towards a backend', () => {
  const check = (mode: DoctorMode, mtu: number | undefined, isBlackHole = false, gateway?: string) =>
    checkPathMtu(
      caseOf(mode, {
        paths: new Map([['10.2.0.2', { mtu, isBlackHole }]]),
        routes: new Map([['10.2.0.2', { isLocal: false, link: 'eth1', gateway, source: '10.2.0.1' }]]),
      }),
    );

  it('is shared with the header of the tunnel, whatever it is', () => {
    const services = (encapsulation: EncapsulationName) => ({ services: [{ ...service, encapsulation }] });
    const details = (['gre', 'ipip', 'l2'] as const).map(
      (encapsulation) => checkPathMtu(caseOf('dsr', {}, services(encapsulation)))[0]!.detail,
    );
    assert.match(details[0]!, /1476 inside/);
    assert.match(details[1]!, /1480 inside/);
    assert.equal(details[2], '1500 bytes to 10.2.0.2');
  });

  it('is what a tunnel has to share', () => {
    assert.deepEqual(told(check('dsr', 1_524)), ['ok: 1524 bytes to 10.2.0.2, 1500 inside the tunnel']);
    assert.deepEqual(told(check('dsr', 1_500)), [
      'warning: 1500 bytes to 10.2.0.2, 1476 inside the tunnel: clients have to send less than a whole Ethernet frame',
    ]);
    assert.deepEqual(told(check('nat', 1_500)), ['ok: 1500 bytes to 10.2.0.2']);
  });

  it('is not known of whom answers no ping', () => {
    assert.deepEqual(told(check('nat', undefined)), ['moot: 10.2.0.2 answers no ping']);
  });

  it('is told to the kernel where nobody else tells it', () => {
    assert.equal(check('nat', 1_420, true)[0]!.fix, 'ip route replace 10.2.0.2 dev eth1 mtu 1420');
    assert.equal(
      check('nat', 1_420, true, '10.1.0.254')[0]!.fix,
      'ip route replace 10.2.0.2 via 10.1.0.254 dev eth1 mtu 1420',
    );
  });
});

describe('a VIP', () => {
  const nowhere: VipPlace = { own: undefined, link: undefined, holder: undefined, holderAddress: undefined };
  const check = (mode: DoctorMode, place: Partial<VipPlace>, addVip?: string) =>
    told(checkVips(caseOf(mode, { vips: new Map([[vip, { ...nowhere, ...place }]]) }, {}, { addVip })));

  it('may be here, or routed here, or put here', () => {
    assert.deepEqual(check('nat', { own: 'eth0', link: 'eth0' }), ['ok: 10.1.0.1 is on eth0']);
    assert.deepEqual(check('nat', {}), ['ok: 10.1.0.1 is routed to this machine']);
    assert.deepEqual(check('nat', { link: 'eth0' }, 'eth0'), ['ok: 10.1.0.1 will be put on eth0']);
  });

  it('of a link has to be answered for', () => {
    assert.deepEqual(check('nat', { link: 'eth0' }), [
      'warning: nobody on eth0 answers for 10.1.0.1: clients on that link will not find it',
    ]);
  });

  it('of a proxy has to be here', () => {
    assert.deepEqual(check('proxy', {}), ['fault: 10.1.0.1 is not an address of this machine']);
  });

  it('of mode dsr has to have a route, for checks', () => {
    const routes = new Map(well.routes);
    routes.delete(vip);
    const place = { vips: new Map([[vip, nowhere]]) };
    const [finding] = checkVips(caseOf('dsr', { ...place, routes }));
    assert.deepEqual([finding!.verdict, finding!.fix], ['fault', 'ip route add 10.1.0.1/32 dev eth1']);
    const added = checkVips(caseOf('dsr', { ...place, routes }, {}, { addVip: 'eth0' }));
    assert.deepEqual(told(added), ['ok: 10.1.0.1 will be put on eth0']);
    routes.set(vip, { isLocal: false, link: 'eth0', gateway: '10.1.0.254', source: undefined });
    assert.equal(checkVips(caseOf('dsr', { ...place, routes }))[0]!.verdict, 'ok');
  });

  it('is nobody else’s', () => {
    assert.deepEqual(check('nat', { own: 'eth0', link: 'eth0', holder: '02:00:00:00:00:01' }), [
      'fault: another machine has 10.1.0.1 too, and answers for it: 02:00:00:00:00:01',
    ]);
    const links = [
      { name: 'eth0', mtu: 1_500, addresses: [{ address: vip, isDuplicate: true }], mergesPackets: false },
    ];
    assert.deepEqual(told(checkVips(caseOf('nat', { links }))), ['fault: another machine has 10.1.0.1 too']);
  });
});

describe('a port', () => {
  const nginx: Listener = {
    protocol: 'tcp',
    address: '',
    port: 80,
    program: 'nginx',
    pid: 42,
    unit: 'nginx.service',
  };
  const check = (mode: DoctorMode, listener: Partial<Listener> = {}, pids: readonly number[] = []) =>
    checkPortTaken(caseOf(mode, { listeners: [{ ...nginx, ...listener }] }, { pids })).map(
      ({ verdict, fix }) => [verdict, fix],
    );

  it('that another program has a proxy cannot have', () => {
    assert.deepEqual(check('proxy'), [['fault', 'systemctl stop nginx.service']]);
    assert.deepEqual(check('proxy', { unit: undefined }), [['fault', 'kill 42']]);
    assert.deepEqual(check('proxy', { address: vip }), [['fault', 'systemctl stop nginx.service']]);
  });

  it('at another address, of another protocol, or of sluice itself is no obstacle', () => {
    for (const other of [{ address: '10.1.0.9' }, { protocol: 'udp' as const }, { port: 81 }]) {
      assert.deepEqual(check('proxy', other), [['ok', undefined]]);
    }
    assert.deepEqual(check('proxy', {}, [42]), [['ok', undefined]]);
  });

  it('is taken from whoever listens there in the other modes', () => {
    assert.equal(check('nat')[0]![0], 'warning');
  });

  it('that packets leave from is nobody else’s', () => {
    const settings = { ...well.settings, sharedPorts: [[61_000, 62_000] as const], reservedPorts: '70' };
    assert.deepEqual(
      checkSnatPorts(caseOf('nat', { settings })).map(({ detail, fix }) => [detail, fix]),
      [
        [
          "61000-62000 of 61000-65535 are for this machine's own connections too",
          'sysctl -w net.ipv4.ip_local_reserved_ports=70,61000-65535',
        ],
      ],
    );
    const keeping = { services: [{ ...service, keepsClient: true }] };
    assert.deepEqual(checkSnatPorts(caseOf('nat', { settings }, keeping)), []);
  });
});

describe('decapsulation', () => {
  const check = (...lasts: readonly string[]) =>
    checkDecapsulation(
      caseOf(
        'dsr',
        {},
        { tunnels: lasts.map((last) => ({ vips: ['192.0.2.10'], backend: '10.2.0.2', last })) },
      ),
    );

  it('is what the checks of a running instance meet', () => {
    assert.deepEqual(told(check()), [
      'moot: start sluice dsr and ask again: its checks go through the tunnels',
    ]);
    assert.deepEqual(told(check('ok')), ['ok: the checks of the running instance get through']);
    assert.deepEqual(told(check('service down: connection refused')), [
      'ok: the checks of the running instance get through',
    ]);
  });

  it('is what a backend may lack', () => {
    const [finding] = check('tunnel dead: no answer');
    assert.deepEqual(
      [finding!.verdict, finding!.detail, finding!.on, finding!.fix],
      ['fault', '10.2.0.2: tunnel dead: no answer', '10.2.0.2', 'sluice backend 192.0.2.10 --from 10.2.0.1'],
    );
  });
});

describe('rules of others', () => {
  const rules = (filter: string) => ({
    chains: readIptables(filter, 'iptables'),
    ours: new Map<string, string>(),
  });
  const forward = (...lines: string[]) =>
    rules(`*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n${lines.join('\n')}\nCOMMIT\n`);

  it('have to let through what goes to backends and what comes back', () => {
    assert.deepEqual(told(checkFirewall(caseOf('nat', { rules: forward() }))), [
      'fault: iptables filter FORWARD drops tcp to 10.2.0.2 port 8080, tcp from 10.1.0.1 port 80, by its policy',
    ]);
    const both = forward(
      '-A FORWARD -d 10.2.0.2/32 -p tcp -m tcp --dport 8080 -j ACCEPT',
      '-A FORWARD -s 10.1.0.1/32 -p tcp -m tcp --sport 80 -j ACCEPT',
    );
    assert.deepEqual(told(checkFirewall(caseOf('nat', { rules: both }))), [
      'ok: no rule drops what sluice sends',
    ]);
  });

  it('see what sluice sends behind its own, and not before', () => {
    const drops = (table: string) => {
      const save = `*${table}\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.2.0.2/32 -j DROP\nCOMMIT\n`;
      return checkFirewall(caseOf('nat', { rules: rules(save) })).map(({ verdict }) => verdict);
    };
    assert.deepEqual([drops('mangle'), drops('raw')], [['fault'], ['ok']]);
  });

  it('have to let tunnels through, of each kind', () => {
    const fix = (encapsulation: EncapsulationName) =>
      checkFirewall(caseOf('dsr', { rules: forward() }, { services: [{ ...service, encapsulation }] })).map(
        (finding) => finding.fix,
      );
    assert.deepEqual(fix('gre'), ['iptables -I FORWARD -d 10.2.0.2 -p gre -j ACCEPT']);
    assert.deepEqual(fix('ipip'), ['iptables -I FORWARD -d 10.2.0.2 -p 4 -j ACCEPT']);
    assert.deepEqual(fix('l2'), ['iptables -I FORWARD -d 10.1.0.1 -p tcp --dport 80 -j ACCEPT']);
  });

  it('have to let in what backends answer to checks, of which the kernel knows nothing', () => {
    const input = (rule: string) =>
      checkFirewall(
        caseOf('dsr', { rules: rules(`*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${rule}\nCOMMIT\n`) }),
      ).map(({ verdict, fix }) => [verdict, fix]);
    const fix = 'iptables -I INPUT -s 10.1.0.1 -p tcp --sport 80 -j ACCEPT';
    assert.deepEqual(input('-m conntrack --ctstate INVALID -j DROP'), [['fault', fix]]);
    assert.deepEqual(input('-p tcp -m tcp --dport 1:1023 -j DROP'), [['ok', undefined]]);
  });

  it('that cannot be read to the end are told as such', () => {
    const limited = forward('-A FORWARD -m limit --limit 1000/sec -j ACCEPT');
    assert.deepEqual(
      checkFirewall(caseOf('nat', { rules: limited })).map(({ verdict }) => verdict),
      ['warning'],
    );
  });

  it('are not seen without the right to', () => {
    assert.equal(checkFirewall(caseOf('nat', { rules: undefined }))[0]!.verdict, 'moot');
    assert.equal(checkOtherPrograms(caseOf('nat', { rules: undefined }))[0]!.verdict, 'moot');
  });

  it('before ours may take or drop the packets of a VIP, behind ours they get none', () => {
    const takes = (table: string, action: string) => {
      const save = `*${table}\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 80 -j ${action}\nCOMMIT\n`;
      return checkOtherPrograms(caseOf('nat', { rules: rules(save) })).map(({ verdict }) => verdict);
    };
    assert.deepEqual(takes('raw', 'NFQUEUE --queue-num 1'), ['fault']);
    assert.deepEqual(takes('raw', 'DROP'), ['fault']);
    assert.deepEqual(takes('mangle', 'NFQUEUE --queue-num 1'), ['warning']);
    assert.deepEqual(takes('mangle', 'DROP'), ['ok']);
    assert.deepEqual(takes('nat', 'DNAT --to-destination 10.9.9.9'), ['warning']);
    assert.deepEqual(takes('nat', 'MARK --set-xmark 0x1/0x1'), ['ok']);
  });
});
