/**
 * `sluice doctor` on a machine with one fault after another, each made on purpose: that check and no other turns ✗,
 * and turns ✓ again when the command has been run that it prints. In the network of nat-support.ts.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { findSubject } from '../../lib/cli/doctor-subject.ts';
import { runtimeDirectory } from '../../lib/control/path.ts';
import { examine } from '../../lib/doctor/examine.ts';
import { gatherFacts } from '../../lib/doctor/facts.ts';
import type { Finding } from '../../lib/doctor/finding.ts';
import { thisMachine } from '../../lib/doctor/machine.ts';
import { output, run } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice, sluice } from '../support/sluice.ts';
import { natNetwork } from './nat-support.ts';

interface Report {
  readonly modes: readonly {
    readonly mode: string;
    readonly ready: boolean;
    readonly checks: readonly Finding[];
  }[];
}

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const balancer = network.host('balancer');
  const one = network.host('one');
  const directory = scratch();
  /** For the commands that a fix calls. */
  const { PATH = '' } = process.env;
  const path = `${directory.path}:${PATH}`;

  const natFile = directory.write(
    'nat.yaml',
    `services:
  - { name: web, mode: nat, listen: "10.9.0.1:80", backends: ["10.2.0.2:8080", "10.3.0.2:8080"] }
`,
  );
  const proxyFile = directory.write(
    'proxy.yaml',
    `services:
  - { name: web, mode: proxy, listen: "10.1.0.1:8080", backends: ["10.2.0.2:8080"] }
`,
  );

  before(async () => {
    chmodSync(directory.write('sluice', `#!/bin/sh\nexec ${process.execPath} ${entry} "$@"\n`), 0o755);
    // Of an instance that was killed in a network whose number this one has now.
    await runSluice(['doctor', '--clean']);
  });
  after(() => directory.remove());

  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  /** Makes something so, until the end of the test. */
  const make = (command: string, back: string, host = balancer): void => {
    host.run(command);
    undo.push(() => host.run(`{ ${back}; } 2>/dev/null || true`));
  };
  const sysctl = (name: string, value: string): void => {
    const file = `/proc/sys/${name}`;
    const before = balancer.run(`cat ${file}`).trim();
    make(`echo ${value} > ${file}`, `echo ${before} > ${file}`);
  };

  const parse = (stdout: string): readonly Finding[] =>
    (JSON.parse(stdout) as Report).modes.flatMap(({ checks }) => checks);
  /** What the command does, in this process, which is in the namespace too. */
  const examineHere = async (file: string): Promise<readonly Finding[]> => {
    const subject = await findSubject(file);
    const facts = await gatherFacts(thisMachine(runtimeDirectory()), runtimeDirectory(), subject);
    return examine(subject.services[0]!.mode, facts, subject);
  };
  const faults = (findings: readonly Finding[]): readonly Finding[] =>
    findings.filter(({ verdict }) => verdict === 'fault');
  const namesOf = (findings: readonly Finding[]): readonly string[] => findings.map(({ check }) => check);

  /** Runs the command that a finding tells, as the person would who reads it. */
  const mend = async ({ fix }: Finding): Promise<void> => {
    assert.ok(fix !== undefined);
    await output({ program: 'sh', args: ['-c', fix], env: { PATH: path } });
  };

  /** One fault of `check` and no other; then its command, and none is left. */
  const isFoundAndMended = async (check: string, file = natFile, by = mend): Promise<Finding> => {
    const found = faults(await examineHere(file));
    assert.deepEqual(namesOf(found), [check]);
    await by(found[0]!);
    assert.deepEqual(faults(await examineHere(file)), []);
    return found[0]!;
  };

  const listen = async (port: number): Promise<void> => {
    const server = spawn('python3', ['-u', '-m', 'http.server', String(port)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(server, 'exit');
    undo.push(async () => {
      server.kill('SIGKILL');
      await ended;
    });
    await once(server.stdout!, 'data');
  };

  describe('sluice doctor', () => {
    it('finds nothing in the way on a machine that is fine', async () => {
      for (const file of [natFile, proxyFile]) {
        const findings = await examineHere(file);
        assert.deepEqual(faults(findings), []);
        assert.ok(findings.length > 8);
      }
    });

    it('tells every mode of a machine of which nothing is known', async () => {
      const { code, stdout } = await runSluice(['doctor']);
      assert.equal(code, 0);
      const titles = stdout.split('\n').filter((line) => /^\w/.test(line));
      assert.deepEqual(
        titles.map((line) => line.replace(/, \d warnings?$/, '')),
        ['proxy: ready', 'nat: ready', 'dsr: ready', 'backend: ready'],
      );
    });

    it('ends with 4 where something is in the way, and shows the command', async () => {
      make('iptables -P FORWARD DROP', 'iptables -P FORWARD ACCEPT');
      const { code, stdout } = await runSluice(['doctor', 'nat', '-f', natFile]);
      assert.equal(code, 4);
      assert.match(stdout, /^nat: 1 fault(, \d warnings?)?\n/);
      assert.match(stdout, /\n {2}✗ firewall .*drops tcp to 10\.2\.0\.2/);
      assert.match(stdout, /\n {10,}→ iptables -I FORWARD /);
    });
  });

  describe('of the packet filter sluice doctor', () => {
    it('finds that what is forwarded is dropped, as Docker has it', async () => {
      make('iptables -P FORWARD DROP', 'iptables -P FORWARD ACCEPT; iptables -F FORWARD');
      make(
        'iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        'iptables -F FORWARD',
      );
      const { detail } = await isFoundAndMended('firewall');
      assert.match(
        detail,
        /drops tcp to 10\.2\.0\.2 10\.3\.0\.2 port 8080, tcp from 10\.9\.0\.1 port 80, by its policy$/,
      );
    });

    it('finds that a table of nft drops it', async () => {
      make(
        `nft 'table inet fw { chain forward { type filter hook forward priority filter; policy drop; ct state established accept; }; }'`,
        'nft delete table inet fw',
      );
      await isFoundAndMended('firewall');
    });

    it('lets traffic through, as it said, once the command was run', async () => {
      make('iptables -P FORWARD DROP', 'iptables -P FORWARD ACCEPT; iptables -F FORWARD');
      const server = one.spawn('python3', ['-u', '-m', 'http.server', '8080'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      undo.push(() => server.kill('SIGKILL'));
      await once(server.stdout!, 'data');
      const curl = 'curl -s -o /dev/null --max-time 2 http://10.9.0.1/; echo $?';
      await using _ = await sluice(['nat', '10.9.0.1:80', '10.2.0.2:8080', '--check', 'none']);
      const client = network.host('client');
      assert.equal(client.run(curl), '28\n', 'lost');
      for (const each of faults(await examineHere(natFile))) await mend(each);
      assert.equal(client.run(curl), '0\n');
    });

    it('finds that a proxy gets nothing', async () => {
      make('iptables -P INPUT DROP', 'iptables -P INPUT ACCEPT; iptables -F INPUT');
      await isFoundAndMended('firewall', proxyFile);
    });

    it('finds another program that takes the packets to a queue of its own', async () => {
      make(
        'iptables -t raw -A PREROUTING -p tcp --dport 80 -j NFQUEUE --queue-num 7',
        'iptables -t raw -F PREROUTING',
      );
      await isFoundAndMended('other-programs');
    });

    it('finds rules that send the clients of a proxy elsewhere', async () => {
      for (const [target, table] of [
        ['DNAT --to-destination 10.2.0.2:80', 'nat'],
        ['TPROXY --on-port 9000 --tproxy-mark 1', 'mangle'],
      ]) {
        make(
          `iptables -t ${table} -A PREROUTING -d 10.1.0.1 -p tcp --dport 8080 -j ${target}`,
          `iptables -t ${table} -F PREROUTING`,
        );
        await isFoundAndMended('other-programs', proxyFile);
      }
    });

    it('warns that such rules get nothing any more where sluice has the packets first', async () => {
      make(
        'iptables -t nat -A PREROUTING -d 10.9.0.1 -p tcp --dport 80 -j DNAT --to-destination 10.2.0.2:80',
        'iptables -t nat -F PREROUTING',
      );
      const findings = await examineHere(natFile);
      assert.deepEqual(faults(findings), []);
      assert.deepEqual(
        findings.filter(({ check }) => check === 'other-programs').map(({ verdict }) => verdict),
        ['warning'],
      );
    });

    it('finds rules of ours that nobody answers for', async () => {
      make(
        'iptables -t raw -N sluice-gone; iptables -t raw -A sluice-gone -j NFQUEUE --queue-num 9; iptables -t raw -A PREROUTING -j sluice-gone',
        'iptables -t raw -F; iptables -t raw -X',
      );
      await isFoundAndMended('leftovers');
      assert.doesNotMatch(balancer.run('iptables-save -t raw'), /sluice-gone/);
    });
  });

  describe('of the settings of the kernel sluice doctor', () => {
    it('says which ones will be set', async () => {
      sysctl('net/ipv4/conf/client/rp_filter', '1');
      const [finding] = (await examineHere(natFile)).filter(({ check }) => check === 'rp-filter');
      assert.deepEqual(finding, { check: 'rp-filter', verdict: 'ok', detail: 'client 1 → 2: will be set' });
    });

    it('finds those that were set back while sluice runs', async () => {
      await using _ = await sluice(['nat', '10.9.0.1:80', '10.2.0.2:8080', '--check', 'none']);
      for (const [check, name, value] of [
        ['ip-forward', 'net/ipv4/conf/one/forwarding', '0'],
        ['rp-filter', 'net/ipv4/conf/one/rp_filter', '1'],
        ['accept-local', 'net/ipv4/conf/one/accept_local', '0'],
        ['send-redirects', 'net/ipv4/conf/all/send_redirects', '1'],
      ] as const) {
        sysctl(name, value);
        await isFoundAndMended(check);
      }
    });

    it('finds those that it may not set', async () => {
      sysctl('net/ipv4/conf/client/rp_filter', '1');
      const script = `mount -o bind,ro /proc/sys /proc/sys && exec ${process.execPath} ${entry} doctor --json -f ${natFile}`;
      const sealed = async () =>
        faults(parse((await run({ program: 'unshare', args: ['--mount', 'sh', '-c', script] })).stdout));
      const found = await sealed();
      // Whatever sluice would set.
      assert.ok(namesOf(found).includes('rp-filter'));
      for (const each of found) {
        const [, name = ''] = / net\.ipv4\.conf\.(\w+)\.accept_local/.exec(each.fix ?? '') ?? [];
        if (name !== '')
          undo.push(() => balancer.run(`echo 0 > /proc/sys/net/ipv4/conf/${name}/accept_local`));
        await mend(each);
      }
      assert.deepEqual(await sealed(), []);
    });
  });

  describe('of ports sluice doctor', () => {
    it('finds that connections of the machine may have those of rewritten packets', async () => {
      sysctl('net/ipv4/ip_local_port_range', '"32768 62000"');
      make('true', 'echo > /proc/sys/net/ipv4/ip_local_reserved_ports');
      await isFoundAndMended('snat-ports');
    });

    it('finds that somebody listens there', async () => {
      await listen(61_500);
      await isFoundAndMended('snat-ports');
    });

    it('finds that somebody has the port of a proxy', async () => {
      await listen(8080);
      await isFoundAndMended('port-taken', proxyFile);
    });

    it('finds that a user may not listen there', async () => {
      const low = directory.write(
        'low.yaml',
        'services: [{ name: web, mode: proxy, listen: "10.1.0.1:80", backends: ["10.2.0.2:8080"] }]\n',
      );
      const plain = ['--reuid', '65534', '--clear-groups', '--bounding-set', '-all', process.execPath, entry];
      chmodSync(directory.path, 0o755);
      const asUser = async () =>
        faults(
          parse((await run({ program: 'setpriv', args: [...plain, 'doctor', '--json', '-f', low] })).stdout),
        );
      const [found, ...others] = await asUser();
      assert.deepEqual([found?.check, others], ['low-ports', []]);
      const before = balancer.run('cat /proc/sys/net/ipv4/ip_unprivileged_port_start').trim();
      undo.push(() => balancer.run(`echo ${before} > /proc/sys/net/ipv4/ip_unprivileged_port_start`));
      await mend(found!);
      assert.deepEqual(await asUser(), []);
    });
  });

  describe('of VIPs and backends sluice doctor', () => {
    it('finds another machine that has the VIP', async () => {
      const onLink = directory.write(
        'link.yaml',
        'services: [{ name: web, mode: nat, listen: "10.2.0.99:80", backends: ["10.2.0.2:8080"] }]\n',
      );
      make('ip address add 10.2.0.99/32 dev lo', 'ip address delete 10.2.0.99/32 dev lo', one);
      undo.push(() =>
        one.run('sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0 >/dev/null'),
      );
      const { on } = await isFoundAndMended('vip', onLink, async ({ fix }) => void one.run(fix!));
      assert.equal(on, '10.2.0.2');
      const [finding] = (await examineHere(onLink)).filter(({ check }) => check === 'vip');
      assert.equal(finding!.verdict, 'warning');
      await mend(finding!);
      undo.push(() => balancer.run('ip address delete 10.2.0.99/32 dev one'));
      assert.deepEqual(
        (await examineHere(onLink)).filter(({ check }) => check === 'vip'),
        [{ check: 'vip', verdict: 'ok', detail: '10.2.0.99 is on one' }],
      );
    });

    it('finds that a proxy has not the address that it is to listen at', async () => {
      const away = directory.write(
        'away.yaml',
        'services: [{ name: web, mode: proxy, listen: "10.1.0.77:8080", backends: ["10.2.0.2:8080"] }]\n',
      );
      undo.push(() => balancer.run('ip address delete 10.1.0.77/32 dev lo'));
      await isFoundAndMended('vip', away);
    });

    it('finds a black hole on the way, and what passes it', async () => {
      make(
        'iptables -t raw -A PREROUTING -p icmp -m length --length 1401:65535 -j DROP',
        'iptables -t raw -F PREROUTING',
        one,
      );
      undo.push(() => balancer.run('ip route delete 10.2.0.2 dev one mtu 1400'));
      const { detail } = await isFoundAndMended('path-mtu');
      assert.equal(detail, 'packets to 10.2.0.2 above 1400 bytes are lost, and nobody says so');
    });

    it('finds a backend that there is no way to', async () => {
      make('ip route add unreachable 10.3.0.2/32', 'ip route delete unreachable 10.3.0.2/32');
      await isFoundAndMended('route', natFile, async () => {
        balancer.run('ip route delete unreachable 10.3.0.2/32');
      });
    });
  });

  describe('of IPv6 sluice doctor', () => {
    const file = directory.write(
      'six.yaml',
      'services: [{ name: web, mode: nat, listen: "[fd09::1]:80", backends: ["[fd02::2]:8080"] }]\n',
    );

    it('finds nothing in the way on a machine that is fine', async () => {
      assert.deepEqual(faults(await examineHere(file)), []);
    });

    it('finds that what is forwarded is dropped', async () => {
      make('ip6tables -P FORWARD DROP', 'ip6tables -P FORWARD ACCEPT; ip6tables -F FORWARD');
      const { detail } = await isFoundAndMended('firewall', file);
      assert.match(detail, /drops tcp to fd02::2 port 8080, tcp from fd09::1 port 80, by its policy$/);
    });

    it('finds a black hole on the way', async () => {
      make(
        'ip6tables -t raw -A PREROUTING -p icmpv6 --icmpv6-type echo-request -m length --length 1421:65535 -j DROP',
        'ip6tables -t raw -F PREROUTING',
        one,
      );
      undo.push(() => balancer.run('ip -6 route delete fd02::2 dev one mtu 1420'));
      await isFoundAndMended('path-mtu', file);
    });

    it('finds another machine that has the VIP', async () => {
      const onLink = directory.write(
        'six-link.yaml',
        'services: [{ name: web, mode: nat, listen: "[fd02::99]:80", backends: ["[fd02::2]:8080"] }]\n',
      );
      make(
        'ip address add fd02::99/128 dev balancer nodad',
        'ip address delete fd02::99/128 dev balancer',
        one,
      );
      await isFoundAndMended(
        'vip',
        onLink,
        async () => void one.run('ip address delete fd02::99/128 dev balancer'),
      );
    });
  });

  describe('of what instances and processes have sluice doctor', () => {
    it('finds what a crash has left', async () => {
      const crashing = await sluice(['nat', '10.9.0.1:80', '10.2.0.2:8080', '--check', 'none']);
      crashing.kill('SIGKILL');
      await crashing.exited;
      await isFoundAndMended('leftovers');
    });

    const raise = 'ulimit -n 512; prlimit --pid $$ --nofile=1048576:1048576';
    const canRaise = spawnSync('sh', ['-c', raise]).status === 0;
    it('looks at the services of an instance that runs, where no file is named', async () => {
      const name = `doctor-${process.pid}`;
      await using _ = await sluice([
        'nat',
        '10.9.0.1:80',
        '10.2.0.2:8080',
        '--check',
        'none',
        '--name',
        name,
      ]);
      make('iptables -P FORWARD DROP', 'iptables -P FORWARD ACCEPT; iptables -F FORWARD');
      const { code, stdout, stderr } = await runSluice(['doctor', 'nat', '--json']);
      assert.deepEqual([code, stderr], [4, '']);
      const [found, ...others] = faults(parse(stdout));
      assert.deepEqual([found?.check, others], ['firewall', []]);
    });

    it('finds a limit of descriptors that is too low', async (t) => {
      const ask = `${process.execPath} ${entry} doctor proxy --json -f ${proxyFile}`;
      const script = (fix: string) => `ulimit -n 512; ${fix}; ${ask}`;
      const low = async (fix: string) =>
        faults(parse((await run({ program: 'sh', args: ['-c', script(fix)] })).stdout));
      const [found, ...others] = await low('true');
      assert.deepEqual([found?.check, others], ['descriptors', []]);
      if (!canRaise) return t.skip('to raise the limit takes CAP_SYS_RESOURCE');
      assert.deepEqual(await low(found!.fix!), []);
    });

    it('finds that a user has no capabilities', async () => {
      const user = ['--reuid', '65534', '--clear-groups'];
      const ask = [process.execPath, entry, 'doctor', 'nat', '--json'];
      const as = async (...rights: string[]) =>
        parse((await run({ program: 'setpriv', args: [...user, ...rights, ...ask] })).stdout);
      assert.deepEqual(namesOf(faults(await as('--bounding-set', '-all'))), ['capabilities']);
      const rights = ['--inh-caps', '+net_admin,+net_raw', '--ambient-caps', '+net_admin,+net_raw'];
      // These may not write to /proc/sys, which is root's.
      assert.ok(!namesOf(faults(await as(...rights))).includes('capabilities'));
    });

    it('finds that no tool for rules is installed', async () => {
      const os = directory.write('os-release', 'ID=debian\n');
      // The directory of the tools, seen at another place, and in its own place without some of them.
      const [all, some] = [join(directory.path, 'all'), join(directory.path, 'some')];
      const hide = [
        `mkdir -p ${all} ${some}`,
        `mount --bind /usr/sbin ${all}`,
        `ln -sf ${all}/* ${some}/`,
        `rm ${some}/nft ${some}/*tables*`,
        `mount --bind ${some} /usr/sbin`,
        `mount --bind ${os} /etc/os-release`,
      ].join(' && ');
      chmodSync(directory.write('apt-get', '#!/bin/sh\numount /usr/sbin\n'), 0o755);
      const ask = `${process.execPath} ${entry} doctor nat --json`;
      const script = (fix: string) => `${hide} && ${fix} && ${ask}`;
      const without = async (fix: string) => {
        const args = ['--mount', 'sh', '-c', script(fix)];
        return faults(parse((await run({ program: 'unshare', args, env: { PATH: path } })).stdout));
      };
      const [found, ...others] = await without('true');
      assert.deepEqual([found?.check, others], ['rule-tool', []]);
      assert.equal(found!.fix, 'apt-get install -y nftables');
      assert.deepEqual(await without(found!.fix!), []);
    });
  });
}
