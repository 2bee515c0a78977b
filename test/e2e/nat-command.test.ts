/** `sluice nat` as its users start it, in the network of nat-support.ts: from the first line to the machine put back. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { run } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice, sluice } from '../support/sluice.ts';
import { commandLine } from './nat-cli.ts';
import { natNetwork, startOrigin } from './nat-support.ts';
import { until } from './support.ts';

const vip = '10.9.0.1';
const one = '10.2.0.2';
const two = '10.3.0.2';

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const balancer = network.host('balancer');
  const cli = commandLine();
  const { directory, control, start, tell } = cli;
  const killOrigin = new Map<string, () => void>();

  before(async () => {
    for (const name of ['one', 'two']) killOrigin.set(name, await startOrigin(network, name as 'one'));
  });
  after(() => directory.remove());

  const whoAnswers = (times = 8, url = `http://${vip}:80/`, host = client): ReadonlySet<string> =>
    new Set(Array.from({ length: times }, () => host.run(`curl -sS --max-time 5 ${url}`).trim()));

  /** What of the machine sluice changes. */
  const machine = (): string =>
    [
      balancer.run('iptables-save -t raw; ip6tables-save -t raw').replace(/^[#:].*$/gm, ''),
      balancer.run('sysctl -a 2>/dev/null | grep -E "forwarding|rp_filter|accept_local|send_redirects"'),
      balancer.run('ip address show').replace(/valid_lft.*| tentative/g, ''),
    ].join('\n');

  /** A connection from the client to the echo at `port` of the VIP, held open. */
  async function conversation(port: number) {
    const program = `import socket, sys
s = socket.create_connection(("${vip}", ${port}), 5)
s.settimeout(5)
print("open", s.getsockname()[1], flush=True)
for line in sys.stdin:
    try:
        s.sendall(line.encode())
        print(s.recv(99).decode().strip() or "FIN", flush=True)
    except ConnectionError:
        print("RST", flush=True)`;
    const child = client.spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    const [opened, clientPort] = (await next()).split(' ');
    assert.equal(opened, 'open');
    return {
      clientPort,
      /** What comes back for a word. */
      async says(word: string): Promise<string> {
        child.stdin!.write(`${word}\n`);
        return next();
      },
      end: () => child.kill('SIGKILL'),
    };
  }

  describe('sluice nat', () => {
    it('serves the VIP until it is stopped, and puts the machine back', async () => {
      const untouched = machine();
      {
        await using running = await start('nat', `${vip}:80`, `${one}:8080`, `${two}:8080`);
        assert.deepEqual(running.ready.services, [
          { name: 'nat', mode: 'nat', listen: `tcp://${vip}:80`, backends: 2 },
        ]);
        assert.deepEqual(whoAnswers(20), new Set(['one', 'two']));
        assert.notEqual(machine(), untouched);
        const [service] = await cli.services();
        assert.deepEqual([service!.mode, service!.connections], ['nat', 20]);
        assert.ok(service!.bytesIn > 20 * 100 && service!.bytesOut! > 20 * 100);
        const flows = await cli.flows();
        assert.equal(flows.length, 20);
        const [flow] = flows;
        assert.match(flow!.client, /^10\.1\.0\.2:\d+$/);
        assert.deepEqual(
          [flow!.service, flow!.vip, flow!.mode, flow!.state],
          ['nat', `${vip}:80`, 'nat', 'closing'],
        );
        assert.ok(flow!.packetsIn! >= 4 && flow!.packetsOut! >= 3);
        running.kill('SIGINT');
        assert.equal(await running.exited, 0);
      }
      assert.equal(machine(), untouched);
    });

    it('is reached at an address of the machine, from it and from the client', async () => {
      await using _ = await start('nat', '10.1.0.1:8081', `${one}:8080`, '--check', 'none');
      assert.deepEqual(whoAnswers(2, 'http://10.1.0.1:8081/'), new Set(['one']));
      assert.deepEqual(whoAnswers(2, 'http://10.1.0.1:8081/', balancer), new Set(['one']));
    });

    it('keeps a flow on a backend that drains, and gives new ones to the other', async () => {
      await using _ = await start('nat', `${vip}:9003`, `${one}:9003`, `${two}:9003`);
      const held = await conversation(9003);
      const flow = async () => (await cli.flows()).find(({ state }) => state === 'established')!;
      const { backend } = await flow();
      await tell('drain', backend!);
      assert.equal(await held.says('still here'), 'still here');
      const others = await Promise.all([1, 2, 3, 4].map(() => conversation(9003)));
      const backends = new Set(
        (await cli.flows())
          .filter(({ client }) => !client.endsWith(`:${held.clientPort}`))
          .map((each) => each.backend),
      );
      assert.deepEqual(backends, new Set([`${one}:9003`, `${two}:9003`].filter((each) => each !== backend)));
      assert.equal((await flow()).backend, backend);
      for (const each of [held, ...others]) each.end();
    });

    it('waits for a flow when it is stopped, and takes no new one', async () => {
      await using running = await start('nat', `${vip}:9003`, `${one}:9003`, '--drain', '60s');
      const held = await conversation(9003);
      running.kill('SIGTERM');
      await until('it is draining', async () => {
        const { stdout } = await runSluice(['status', '--control', control, '--json']);
        return JSON.parse(stdout).state === 'draining';
      });
      assert.equal(await held.says('still here'), 'still here');
      await assert.rejects(conversation(9003));
      held.end();
      assert.equal(await running.exited, 0);
    });

    it('resets the flows of a backend that has died, and gives new ones to the other', async () => {
      const fast = ['--check-interval', '100ms', '--fall', '1'];
      await using _ = await start('nat', `${vip}:9003`, `${one}:9003`, `${two}:9003=0`, ...fast);
      const held = await conversation(9003);
      await tell('weight', `${two}:9003`, '1');
      // The host is gone: nothing comes back from it, not even a RST.
      balancer.run('ip route add blackhole 10.2.0.2/32');
      try {
        await cli.untilBackend(`${one}:9003`, 'down');
        assert.equal(await held.says('anybody?'), 'RST');
        const next = await conversation(9003);
        assert.equal(await next.says('anybody?'), 'anybody?');
        next.end();
      } finally {
        balancer.run('ip route del blackhole 10.2.0.2/32');
        held.end();
      }
    });

    it('counts the clients for whom no source port is left, and has room again once some have gone', async () => {
      const few = ['--snat-ports', '61000-61003', '--check', 'none'];
      await using _ = await start('nat', `${vip}:9003`, `${one}:9003`, ...few);
      const held = await Promise.all([1, 2, 3, 4].map(() => conversation(9003)));
      assert.throws(() => client.run(`curl -sS --max-time 1 http://${vip}:9003/`), /timed out/);
      const [service] = await cli.services();
      assert.equal(service!.connections, 4);
      assert.ok(service!.dropped['ports-exhausted']! > 0);
      for (const each of held) assert.equal(await each.says('still here'), 'still here');
      held.pop()!.end();
      const next = await conversation(9003);
      assert.equal(await next.says('room again'), 'room again');
      for (const each of [...held, next]) each.end();
    });

    it('places connections by the policy that was asked for', async () => {
      for (const [policy, differing] of [
        ['round-robin', 2],
        ['source', 1],
      ] as const) {
        const backends = [`${one}:8080`, `${two}:8080`, '--check', 'none'];
        await using _ = await start('nat', `${vip}:80`, ...backends, '--balance', policy);
        for (let turn = 0; turn < 3; turn++) assert.equal(whoAnswers(2).size, differing, policy);
      }
    });

    it('is put back by sluice doctor --clean after a kill -9, and by the next start', async () => {
      const untouched = machine();
      for (const remedy of ['doctor', 'start']) {
        const crashing = await start('nat', `${vip}:80`, `${one}:8080`);
        crashing.kill('SIGKILL');
        await crashing.exited;
        assert.notEqual(machine(), untouched);
        if (remedy === 'doctor') {
          const { code, stdout } = await runSluice(['doctor', '--clean', '--json']);
          const { undone, left } = JSON.parse(stdout);
          assert.deepEqual([code, left, undone.includes('rules nat')], [0, [], true]);
        } else {
          const next = await start('nat', `${vip}:80`, `${one}:8080`);
          assert.deepEqual(whoAnswers(2), new Set(['one']));
          await next.stop();
        }
        assert.equal(machine(), untouched);
      }
      assert.equal((await runSluice(['doctor', '--clean'])).stdout, 'nothing was left behind\n');
    });

    it('says what an unprivileged user lacks', async () => {
      const plain = ['--reuid', '65534', '--clear-groups', '--bounding-set', '-all', process.execPath, entry];
      const { code, stderr } = await run({
        program: 'setpriv',
        args: [...plain, 'nat', `${vip}:80`, `${one}:8080`, '--control', `/tmp/nat-${process.pid}.sock`],
      });
      assert.equal(code, 4);
      assert.match(stderr, /^sluice: this process lacks CAP_NET_ADMIN and CAP_NET_RAW — run it with sudo/);
    });

    it('serves as a user who has two capabilities and no more, and puts the machine back', async () => {
      const untouched = machine();
      const own = scratch();
      chmodSync(own.path, 0o777);
      const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
      const two = '-all,+net_admin,+net_raw';
      const capabilities = ['--inh-caps', two, '--ambient-caps', two, '--bounding-set', two];
      const command = ['setpriv', ...user, ...capabilities, process.execPath, entry];
      const env = { XDG_RUNTIME_DIR: own.path };
      const service = ['nat', '10.1.0.1:8081', `${one}:8080`, '--workers', '2', '--name', 'modest'];
      {
        await using running = await sluice(service, { command, env });
        const status = readFileSync(`/proc/${running.pid}/status`, 'utf8');
        assert.match(status, /^Uid:\s+65534\s.*^CapEff:\s+0000000000003000$/ms);
        assert.deepEqual(whoAnswers(4, 'http://10.1.0.1:8081/'), new Set(['one']));
      }
      assert.equal(machine(), untouched);
      const crashing = await sluice(service, { command, env });
      crashing.kill('SIGKILL');
      await crashing.exited;
      assert.notEqual(machine(), untouched);
      const [program = '', ...args] = command;
      const { code } = await run({ program, args: [...args, 'doctor', '--clean'], env });
      assert.equal(code, 0);
      assert.equal(machine(), untouched);
      own.remove();
    });

    it('adds the VIP to an interface for as long as it runs', async () => {
      const untouched = machine();
      {
        const args = ['nat', '10.1.0.99:80', `${two}:8080`, '--add-vip', 'client'];
        await using _ = await start(...args);
        assert.match(machine(), /inet 10\.1\.0\.99\/32/);
        assert.deepEqual(whoAnswers(2, 'http://10.1.0.99/'), new Set(['two']));
      }
      assert.equal(machine(), untouched);
    });
  });

  describe('sluice up with services of mode nat', () => {
    it('reloads without disturbing a flow, beside a proxy', async () => {
      const file = join(directory.path, 'edge.yaml');
      const write = (backends: string, nat = 'workers: 1'): void =>
        writeFileSync(
          file,
          `nat: { ${nat} }
services:
  - { name: echo, mode: nat, listen: "tcp://${vip}:9003", backends: [${backends}], check: none }
  - { name: web, mode: proxy, listen: "10.1.0.1:8082", backends: ["${one}:8080"] }
`,
        );
      write(`"${one}:9003"`);
      await using _ = await start('up', '-f', file);
      const held = await conversation(9003);
      write(`"${two}:9003"`);
      await tell('reload');
      assert.equal(await held.says('still here'), 'still here');
      const next = await conversation(9003);
      const flows = await cli.flows();
      assert.equal(
        flows.find(({ client }) => client.endsWith(`:${next.clientPort}`))!.backend,
        `${two}:9003`,
      );
      assert.deepEqual(whoAnswers(1, 'http://10.1.0.1:8082/'), new Set(['one']));
      write(`"${two}:9003"`, 'workers: 2');
      const refused = await runSluice(['reload', '--control', control]);
      assert.deepEqual(
        [refused.code, refused.stderr],
        [
          1,
          'sluice: the packet path is running, and workers cannot change meanwhile — take the change back, or stop the instance and start it again\n',
        ],
      );
      held.end();
      next.end();
    });
  });
}
