/**
 * The machine before, while and after an instance has its hold on it.
 *
 *   client 10.1.0.2 ──── 10.1.0.1 balancer 10.2.0.1 ──── 10.2.0.2 backend
 *         fd01::2        fd01::1           fd02::1        fd02::2
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { commandRunner } from '../../../lib/datapath/kernel/command.ts';
import type { KernelDescription } from '../../../lib/datapath/kernel/description.ts';
import { KernelSetup } from '../../../lib/datapath/kernel/setup.ts';
import { readSetting, writeSetting } from '../../../lib/datapath/kernel/sysctls.ts';
import { cleanLeftovers } from '../../../lib/datapath/kernel/undo.ts';
import { silentLog } from '../../../lib/model/log.ts';
import { inside } from '../../support/inside-netns.ts';
import { description, rules } from './support/descriptions.ts';

const network = inside(import.meta.url, 'balancer', {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', balancer: '10.1.0.1/24 fd01::1/64' } },
    { ends: { balancer: '10.2.0.1/24 fd02::1/64', backend: '10.2.0.2/24 fd02::2/64' } },
  ],
  routes: {
    client: ['default via 10.1.0.1', 'default via fd01::1'],
    balancer: ['default via 10.1.0.2', 'default via fd01::2'],
  },
});

const vip4 = '192.0.2.10';
const vip6 = '2001:db8::10';

/** Both families, SNAT from our own addresses, and VIPs that are added towards the client. */
const everything: KernelDescription = description({
  rules: rules({
    vips: [
      { address: vip4, protocol: 'tcp', port: 80 },
      { address: vip6, protocol: 'tcp', port: 80 },
    ],
    snatAddresses: ['10.2.0.1', 'fd02::1'],
  }),
  sources: [vip4, vip6, '10.2.0.1', 'fd02::1'],
  interfaces: ['client', 'backend'],
  addedAddresses: [
    { interface: 'client', address: vip4 },
    { interface: 'client', address: vip6 },
  ],
});

const rpFilter = 'net/ipv4/conf/client/rp_filter';

if (network !== undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const children: ChildProcess[] = [];
  const setups: KernelSetup[] = [];
  let untouched: string;

  const newSetup = (instance: string): KernelSetup => {
    const setup = new KernelSetup({ holder: instance, directory });
    setups.push(setup);
    return setup;
  };

  before(async () => {
    // As a host is that forwards nothing yet, and that is wary of spoofing.
    writeSetting('net/ipv4/ip_forward', '0');
    writeSetting('net/ipv6/conf/all/forwarding', '0');
    writeSetting(rpFilter, '1');
    // Until the kernel has made up its mind about link-local addresses.
    while (machine().includes('tentative')) await sleep(50);
    untouched = machine();
  });

  afterEach(async () => {
    for (const setup of setups.splice(0)) await setup.undo();
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  after(() => rmSync(directory, { recursive: true }));

  const isAsBefore = (): void => {
    assert.deepEqual(difference(untouched, machine()), []);
    assert.deepEqual(
      readdirSync(directory).filter((file) => file.endsWith('.json')),
      [],
    );
  };

  /** Starts an instance in a process of its own and returns what it says first. */
  const startInstance = async (
    name: string,
    wanted: KernelDescription,
    where: string,
    through: readonly string[] = [],
  ): Promise<{ child: ChildProcess; says: string }> => {
    const file = fileURLToPath(new URL('./support/instance.ts', import.meta.url));
    const args = [
      ...through,
      process.execPath,
      ...process.execArgv,
      file,
      name,
      where,
      JSON.stringify(wanted),
    ];
    const child = spawn(args[0]!, args.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const [says] = await once(createInterface({ input: child.stdout! }), 'line');
    return { child, says };
  };

  const ended = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };

  describe('an instance', () => {
    it('finds the machine as it needs it, and leaves it as it was', async () => {
      const setup = newSetup('web');
      await setup.apply(everything);
      assert.equal(readSetting('net/ipv4/conf/client/forwarding'), '1');
      assert.equal(readSetting(rpFilter), '2');
      assert.equal(readSetting('net/ipv4/conf/client/accept_local'), '1');
      assert.equal(readSetting('net/ipv4/conf/all/send_redirects'), '0');
      assert.equal(readSetting('net/ipv4/ip_forward'), '0');
      assert.equal(readSetting('net/ipv6/conf/all/forwarding'), '1');
      assert.match(machine(), /-A PREROUTING ! -i lo -j sluice-web/);
      assert.match(machine(), /inet 192\.0\.2\.10\/32 scope global client/);
      await setup.undo();
      isAsBefore();
    });

    it('may undo twice, and without having done anything', async () => {
      const setup = newSetup('web');
      await setup.undo();
      await setup.apply(everything);
      await setup.undo();
      await setup.undo();
      isAsBefore();
    });

    it('takes and gives back addresses as its description changes', async () => {
      const setup = newSetup('web');
      await setup.apply(everything);
      await setup.change({ ...everything, addedAddresses: [{ interface: 'client', address: '192.0.2.11' }] });
      assert.doesNotMatch(machine(), /192\.0\.2\.10\/32 scope|2001:db8::10\/128 scope/);
      assert.match(machine(), /192\.0\.2\.11\/32 scope/);
      await setup.undo();
      isAsBefore();
    });

    it('puts its rules back when someone has flushed them, at its next change', async () => {
      const jumps = (): string =>
        execFileSync('iptables', ['-t', 'raw', '-S', 'PREROUTING'], { encoding: 'utf8' });
      const setup = newSetup('web');
      await setup.apply(everything);
      execFileSync('iptables', ['-t', 'raw', '-D', 'PREROUTING', '!', '-i', 'lo', '-j', 'sluice-web']);
      assert.doesNotMatch(jumps(), /sluice-web/);
      await setup.change(everything);
      assert.match(jumps(), /-A PREROUTING ! -i lo -j sluice-web/);
      await setup.undo();
      isAsBefore();
    });

    it('leaves an address alone that was there before', async () => {
      const setup = newSetup('web');
      await setup.apply({ ...everything, addedAddresses: [{ interface: 'client', address: '10.1.0.1' }] });
      await setup.undo();
      isAsBefore();
    });

    it('leaves a setting alone that someone has changed since', async () => {
      const setup = newSetup('web');
      await setup.apply(everything);
      writeSetting(rpFilter, '0');
      await setup.undo();
      assert.equal(readSetting(rpFilter), '0');
      writeSetting(rpFilter, '1');
      isAsBefore();
    });

    it('that cannot have all it needs takes back what it has got', async () => {
      const setup = newSetup('web');
      const addedAddresses = [...everything.addedAddresses, { interface: 'nowhere', address: '192.0.2.11' }];
      await assert.rejects(setup.apply({ ...everything, addedAddresses }), {
        code: 'ERR_SLUICE_KERNEL_SETUP',
        exitCode: 1,
        message: 'ip: Device "nowhere" does not exist.',
      });
      isAsBefore();
    });
  });

  describe('packets with a mark', () => {
    const mark = 0x5500_0007;
    const markedRoutes = [
      { family: 4, mark, nextHop: '10.2.0.2', interface: 'backend' },
      { family: 6, mark, nextHop: 'fd02::2', interface: 'backend' },
    ] as const;
    const wayOf = (to: string, by = mark): string =>
      execFileSync('ip', ['route', 'get', to, 'mark', String(by)], { encoding: 'utf8' });

    it('go to a backend of the link, and that is over when it is', async () => {
      const setup = newSetup('web');
      await setup.apply({ ...everything, addedAddresses: [], markedRoutes });
      assert.match(wayOf(vip4), /via 10\.2\.0\.2 dev backend/);
      assert.match(wayOf(vip6), /via fd02::2 dev backend/);
      await setup.change({ ...everything, addedAddresses: [], markedRoutes: markedRoutes.slice(1) });
      assert.doesNotMatch(wayOf(vip4), /10\.2\.0\.2/);
      assert.match(wayOf(vip6), /via fd02::2 dev backend/);
      await setup.undo();
      isAsBefore();
    });

    it('do so by another family where they have to', async () => {
      const setup = newSetup('web');
      const across = [{ family: 4, mark, nextHop: 'fd02::2', interface: 'backend' }] as const;
      await setup.apply({ ...everything, addedAddresses: [], markedRoutes: across });
      assert.match(wayOf(vip4), /via inet6 fd02::2 dev backend/);
      await setup.undo();
      isAsBefore();
    });

    it('do so even if they are for an address of this machine', async () => {
      const setup = newSetup('web');
      await setup.apply({ ...everything, markedRoutes, marksFirst: [4, 6] });
      assert.match(wayOf(vip4), /via 10\.2\.0\.2 dev backend/);
      assert.match(wayOf(vip6), /via fd02::2 dev backend/);
      assert.match(execFileSync('ip', ['route', 'get', vip4], { encoding: 'utf8' }), /^local/);
      await setup.change(everything);
      assert.match(wayOf(vip4), /^local/);
      await setup.undo();
      isAsBefore();
    });

    it('and what leads them there goes with whoever cleans up after kill -9', async () => {
      const wanted = { ...everything, markedRoutes, marksFirst: [4, 6] as const };
      const another = markedRoutes.map((route) => ({ ...route, mark: mark + 1 }));
      const { child } = await startInstance('web', wanted, directory);
      const other = await startInstance('dns', { ...wanted, markedRoutes: another }, directory);
      child.kill('SIGKILL');
      await ended(child);
      await cleanLeftovers({ directory, run: commandRunner(directory), log: silentLog });
      assert.match(wayOf(vip4), /^local/);
      assert.match(wayOf(vip4, mark + 1), /via 10\.2\.0\.2 dev backend/, 'the other relies on it');
      other.child.stdin!.end();
      await ended(other.child);
      isAsBefore();
    });
  });

  describe('two instances', () => {
    it('that rely on the same have it until the last of them has ended', async () => {
      const [web, dns] = [newSetup('web'), newSetup('dns')];
      await web.apply(everything);
      const needed = machine();
      await dns.apply(everything);
      await web.undo();
      assert.deepEqual(difference(needed.replaceAll('sluice-web', 'sluice-dns'), machine()), []);
      await dns.undo();
      isAsBefore();
    });

    it('that end in the order in which they began do so in processes of their own, too', async () => {
      const web = await startInstance('web', everything, directory);
      const dns = await startInstance('dns', everything, directory);
      for (const { child } of [web, dns]) {
        assert.equal(readSetting(rpFilter), '2');
        child.stdin!.end();
        await ended(child);
      }
      isAsBefore();
    });

    it('of one name are one too many', async () => {
      const { child } = await startInstance('web', everything, directory);
      await assert.rejects(newSetup('web').apply(everything), {
        code: 'ERR_SLUICE_NAME_TAKEN',
        message: `an instance called web is running, process ${child.pid}`,
      });
      child.stdin!.end();
      await ended(child);
      isAsBefore();
    });
  });

  describe('after kill -9', () => {
    let child: ChildProcess;

    beforeEach(async () => {
      ({ child } = await startInstance('web', everything, directory));
      child.kill('SIGKILL');
      await ended(child);
      assert.notEqual(machine(), untouched);
    });

    it('everything is put back by whoever cleans, which says what', async () => {
      const undone = await cleanLeftovers({ directory, run: commandRunner(directory), log: silentLog });
      assert.ok(undone.includes('rules web'));
      assert.ok(undone.includes(rpFilter));
      assert.ok(undone.includes('address 192.0.2.10/32 dev client'));
      isAsBefore();
    });

    it('the next start begins anew, and its end puts everything back', async () => {
      const setup = newSetup('web');
      await setup.apply(everything);
      assert.equal(readSetting(rpFilter), '2');
      await setup.undo();
      isAsBefore();
    });

    it('what a living instance relies on stays until that ends', async () => {
      const other = await startInstance('dns', everything, directory);
      assert.doesNotMatch(machine(), /sluice-web/);
      assert.equal(readSetting(rpFilter), '2');
      other.child.stdin!.end();
      await ended(other.child);
      isAsBefore();
    });
  });

  describe('a user without root', () => {
    const capabilities = '+net_admin,+net_raw';
    const asUser = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set'];
    const withCapabilities = [
      ...[...asUser, `-all,${capabilities}`, `--inh-caps=-all,${capabilities}`],
      `--ambient-caps=-all,${capabilities}`,
    ];
    let own: string;

    before(() => {
      own = join(directory, 'user');
      mkdirSync(own);
      chmodSync(directory, 0o755);
      execFileSync('chown', ['65534:65534', own]);
    });

    it('can do all of it with CAP_NET_ADMIN and CAP_NET_RAW', async () => {
      const { child, says } = await startInstance('web', everything, own, withCapabilities);
      assert.equal(says, 'ready');
      assert.match(machine(), /-A PREROUTING ! -i lo -j sluice-web/);
      assert.match(machine(), /2001:db8::10\/128 scope global/);
      assert.equal(readSetting(rpFilter), '2');
      child.stdin!.end();
      await ended(child);
      isAsBefore();
    });

    it('can do it with the legacy iptables as well, which wants a lock of its own', async () => {
      const shims = join(own, 'shims');
      mkdirSync(shims);
      for (const tool of ['nft', 'iptables-restore']) {
        writeFileSync(join(shims, tool), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      }
      const through = [...withCapabilities, 'env', `PATH=${shims}:/usr/sbin:/usr/bin:/sbin:/bin`];
      const { child, says } = await startInstance('web', everything, own, through);
      assert.equal(says, 'ready');
      assert.match(execFileSync('iptables-legacy-save', { encoding: 'utf8' }), /sluice-web/);
      child.stdin!.end();
      await ended(child);
      isAsBefore();
    });

    it('is told that there is nowhere to write down what is changed', async () => {
      const { says } = await startInstance('web', everything, '/run/sluice-test-of-root', withCapabilities);
      assert.match(says, /^4 ERR_SLUICE_KERNEL_SETUP: what is changed cannot be written down: EACCES/);
      isAsBefore();
    });

    it('is told what is missing without them', async () => {
      const { says } = await startInstance('web', everything, own, [...asUser, '-all']);
      assert.equal(says, '4 ERR_SLUICE_PRIVILEGES: this process lacks CAP_NET_ADMIN and CAP_NET_RAW');
      isAsBefore();
    });
  });

  describe('an added address', () => {
    const wrong = '02:00:00:00:00:99';

    it('is announced: hosts of the link that have it elsewhere learn better', async () => {
      const client = network.host('client');
      for (const vip of [vip4, vip6]) {
        client.run(`ip neighbour replace ${vip} dev balancer lladdr ${wrong} nud stale`);
      }
      await newSetup('web').apply(everything);
      const link = execFileSync('ip', ['-o', 'link', 'show', 'client'], { encoding: 'utf8' });
      const right = /link\/ether (\S+)/.exec(link)![1]!;
      const known = (vip: string): string => client.run(`ip neighbour show ${vip} dev balancer`);
      const deadline = Date.now() + 5_000;
      while (Date.now() < deadline && (known(vip4).includes(wrong) || known(vip6).includes(wrong)))
        await sleep(20);
      assert.match(known(vip4), new RegExp(right));
      assert.match(known(vip6), new RegExp(right));
    });

    it('is not what the machine itself speaks from', async () => {
      await newSetup('web').apply(everything);
      for (const to of ['192.0.2.99', '2001:db8::99']) {
        const route = execFileSync('ip', ['route', 'get', to], { encoding: 'utf8' });
        assert.match(route, / src (10\.1\.0\.1|fd01::1) /);
      }
    });
  });

  describe('while nobody reads the queue', () => {
    const pingVip = (): boolean => {
      try {
        network.host('client').run(`ping -c1 -W0.3 ${vip4}`);
        return true;
      } catch {
        return false;
      }
    };

    it('packets are lost', async () => {
      await newSetup('web').apply(everything);
      assert.equal(pingVip(), false);
    });

    it('packets go on as if there were no rule, if so asked', async () => {
      await newSetup('web').apply({ ...everything, rules: { ...everything.rules, onFailure: 'bypass' } });
      assert.equal(pingVip(), true);
    });
  });
}

/** The lines that only one of two texts has. */
function difference(before: string, after: string): string[] {
  const [was, is] = [before, after].map((text) => new Set(text.split('\n')));
  return [
    ...[...was!].filter((line) => !is!.has(line)).map((line) => `- ${line}`),
    ...[...is!].filter((line) => !was!.has(line)).map((line) => `+ ${line}`),
  ];
}

/** What an instance changes, of the whole machine: rules, settings, addresses, routes. Tables without rules are none. */
function machine(): string {
  const commands = [
    'iptables-save; ip6tables-save; iptables-legacy-save; ip6tables-legacy-save',
    'ip -o address show; ip route show table all; ip -6 route show table all; ip rule; ip -6 rule',
    'cd /proc/sys/net && grep -r . ipv4/conf ipv6/conf; true',
  ];
  return execFileSync('sh', ['-c', commands.join('; ')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
    .split('\n')
    .filter((line) => !line.startsWith('#') && !/^(\*|:[A-Z]+ ACCEPT|COMMIT)|stable_secret|mtu/.test(line))
    .map((line) => line.replace(/ (expires|valid_lft|preferred_lft) \S+/g, '').replace(/\[\d+:\d+\]/, ''))
    .join('\n');
}
