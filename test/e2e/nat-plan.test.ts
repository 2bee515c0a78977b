/**
 * What `sluice plan` foretells of live flows, held against what a reload then does to them, in the network of
 * nat-support.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import type { PlanView } from '../../lib/model/plan.ts';
import type { FlowView } from '../../lib/model/view.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, sluice } from '../support/sluice.ts';
import { natNetwork, startOrigin } from './nat-support.ts';

const vip = '10.9.0.1';
const one = '10.2.0.2';
const two = '10.3.0.2';

/** Holds conversations open, TCP and UDP; for each word it says who still answers, of which protocol. */
const client = `import socket, sys
def open(kind):
    s = socket.socket(socket.AF_INET, kind)
    s.settimeout(5)
    s.connect(("${vip}", 9003 if kind == socket.SOCK_STREAM else 5300))
    return s
tcp = [open(socket.SOCK_STREAM) for _ in range(12)]
udp = [open(socket.SOCK_DGRAM) for _ in range(12)]
def answered(s):
    try:
        s.send(b"x\\n")
        return len(s.recv(99)) > 0
    except OSError:
        return False
for s in udp: answered(s)
for s in udp: answered(s)
print("open", flush=True)
for word in sys.stdin:
    print(sum(map(answered, tcp)), sum(map(answered, udp)), flush=True)`;

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const directory = scratch();
  const control = join(directory.path, 'edge.sock');
  const document = async (...args: string[]) => {
    const { stdout, stderr, code } = await runSluice([...args, '--control', control, '--json']);
    assert.deepEqual([stderr, code], ['', 0]);
    return JSON.parse(stdout);
  };
  const configure = (name: string, ...backends: string[]): string =>
    directory.write(
      name,
      `name: edge
drain: 1s
services:
  - name: echo
    mode: nat
    listen: tcp://${vip}:9003
    backends: [${backends.map((backend) => `${backend}:9003`).join(', ')}]
  - name: who
    mode: nat
    listen: udp://${vip}:5300
    backends: [${backends.map((backend) => `${backend}:5300`).join(', ')}]
`,
    );

  before(async () => {
    for (const name of ['one', 'two'] as const) await startOrigin(network, name);
  });
  after(() => directory.remove());

  describe('a plan for live flows', () => {
    it('names as many as a reload then ends or moves', async () => {
      const file = configure('edge.yaml', one, two);
      await using _ = await sluice(['up', '-f', file, '--control', control]);
      const child = network
        .host('client')
        .spawn('python3', ['-c', client], { stdio: ['pipe', 'pipe', 'inherit'] });
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      const said = async () => String((await lines.next()).value);
      try {
        assert.equal(await said(), 'open');
        const { flows }: { flows: FlowView[] } = await document('flows');
        const onOne = (protocol: string) =>
          flows.filter((flow) => flow.protocol === protocol && flow.backend!.startsWith(one)).length;
        const plan: PlanView = await document('plan', '-f', configure('new.yaml', two));
        const { live, stay, move, cut } = plan.flows;
        assert.deepEqual([live, move, cut], [24, onOne('udp'), onOne('tcp')]);
        assert.ok(stay > 0 && move > 0 && cut > 0, JSON.stringify(plan.flows));

        configure('edge.yaml', two);
        const { event: _event, ...done } = await document('reload');
        assert.deepEqual({ ...done, event: 'plan' }, plan);
        // Until the deadline everybody goes on.
        child.stdin!.write('now\n');
        assert.equal(await said(), '12 12');
        await new Promise((resolve) => setTimeout(resolve, 2_500));
        child.stdin!.write('then\n');
        assert.equal(await said(), `${12 - cut} 12`);
        const after: FlowView[] = (await document('flows')).flows;
        const moved = after.filter(({ protocol, state }) => protocol === 'udp' && state !== 'closing');
        assert.deepEqual(new Set(moved.map(({ backend }) => backend)), new Set([`${two}:5300`]));
      } finally {
        child.kill('SIGKILL');
      }
    });

    it('is refused where a reload would be', async () => {
      const file = configure('edge.yaml', one);
      await using _ = await sluice(['up', '-f', file, '--control', control]);
      const other = directory.write('workers.yaml', `nat: { workers: 2 }\n${readFileSync(file, 'utf8')}`);
      const { code, stdout } = await runSluice(['plan', '-f', other, '--control', control]);
      assert.equal(code, 3);
      assert.match(
        stdout,
        /a reload would be refused: .*workers cannot change meanwhile\n {2}take the change back/,
      );
    });
  });
}
