import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ControlClient } from '../../lib/control/client.ts';
import { type ControlServer, serveControl } from '../../lib/control/server.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { ExitCode, SluiceError } from '../../lib/model/errors.ts';
import { silentLog } from '../../lib/model/log.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { run } from '../support/child.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { MemoryPath, web } from '../trace/support.ts';
import { leaveDeadSocket } from './dead-socket.ts';
import { FakeInstance } from './fake-instance.ts';

describe('a control client', () => {
  let directory: Scratch;
  let path: string;
  let client: ControlClient;

  beforeEach(() => {
    directory = scratch();
    path = join(directory.path, 'edge.sock');
    client = new ControlClient(path);
  });

  afterEach(async () => {
    await client.close();
    directory.remove();
  });

  describe('of a running instance', () => {
    let instance: FakeInstance;
    let server: ControlServer;

    beforeEach(async () => {
      instance = new FakeInstance();
      server = await serveControl(path, instance, silentLog);
    });

    afterEach(() => server.close());

    it('sees what the instance shows', async () => {
      assert.deepEqual(await client.status(), instance.statusView);
      assert.deepEqual(await client.backends(), instance.backendViews);
      assert.deepEqual(await client.paths(), instance.pathViews);
      assert.deepEqual(await client.flows({ limit: 2 }), {
        flows: instance.flowViews.slice(0, 2),
        matching: 3,
      });
      assert.deepEqual((await client.history(2)).steps, instance.historySteps.slice(1));
      assert.deepEqual(await client.log(1), { entries: instance.logEntries.slice(1) });
      assert.match(await client.metrics(), /^# HELP sluice_build_info /);
    });

    it('changes a backend whatever its name, in one service or in all', async () => {
      const [plain, odd] = instance.backendViews;
      assert.deepEqual(await client.patchBackend('web', plain!.name, { weight: 5 }), [plain]);
      assert.deepEqual(await client.patchBackend(undefined, odd!.name, { state: 'disabled' }), [odd]);
      assert.deepEqual(instance.asked, [
        ['patch', 'web', plain!.name, { weight: 5 }],
        ['patch', undefined, odd!.name, { state: 'disabled' }],
      ]);
    });

    it('reloads and stops', async () => {
      assert.deepEqual(await client.reload(), instance.planView);
      await client.stop();
      assert.deepEqual(instance.asked, [['reload'], ['stop']]);
    });

    it('plans what another configuration would change, or its own', async () => {
      const config = { text: 'name: é\nservices: []\n', file: 'a b/new&.yaml' };
      assert.deepEqual(await client.plan(config), instance.planView);
      assert.deepEqual(await client.plan(), instance.planView);
      assert.deepEqual(instance.asked, [
        ['plan', config],
        ['plan', undefined],
      ]);
    });

    it('traces a flow', async () => {
      const flow = parseFlowTuple(['udp', '[2001:db8::7]:40000', '[2001:db8::10]:53']);
      assert.deepEqual(await client.trace(flow), instance.traceView);
      assert.deepEqual(instance.asked, [['trace', flow]]);
    });

    it('fetches packet paths with as many flows as it asks for', async () => {
      const path = new MemoryPath(web);
      const flows = Array.from({ length: 12_000 }, (_, index) =>
        parseFlowTuple(['tcp', `198.51.${index >> 8}.${index & 255}:40000`, '192.0.2.10:80']),
      );
      for (const flow of [flows[0]!, flows[11_999]!]) path.send(probePacket(flow, true));
      instance.snapshots = (tuples) => {
        instance.asked.push(tuples.length);
        return [path.snapshot(...tuples)];
      };
      const [snapshot] = await client.snapshots(flows);
      assert.deepEqual(instance.asked, [5_000, 5_000, 2_000]);
      assert.deepEqual(snapshot, { ...path.snapshot(flows[0]!, flows[11_999]!) });
      assert.deepEqual((await client.snapshots([]))[0]!.flows, []);
    });

    it('throws what the instance threw', async () => {
      const thrown = new SluiceError('ERR_SLUICE_CONFIG', 'unknown key "wait"', {
        remedy: 'did you mean "weight"?',
        place: 'edge.yaml:14:7',
        exitCode: ExitCode.configInvalid,
      });
      instance.reloading = () => Promise.reject(thrown);
      const { name, code, message, remedy, place, exitCode } = thrown;
      await assert.rejects(client.reload(), { name, code, message, remedy, place, exitCode });
    });

    it('says so when the instance ends without an answer', async () => {
      instance.reloading = () => new Promise(() => void server.close());
      await assert.rejects(client.reload(), { code: 'ERR_SLUICE_NO_ANSWER', exitCode: 5 });
    });

    it('finds the instance again after it was started anew', async () => {
      await client.status();
      await server.close();
      await assert.rejects(client.status(), { exitCode: 5 });
      server = await serveControl(path, instance, silentLog);
      assert.deepEqual(await client.status(), instance.statusView);
    });

    it('lets its process end, closed or not', async () => {
      const program = `
        import { ControlClient } from '${new URL('../../lib/control/client.ts', import.meta.url)}';
        console.log((await new ControlClient('edge.sock').status()).name);`;
      const { code, stdout, stderr } = await run({
        program: process.execPath,
        args: ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program],
        cwd: directory.path,
      });
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'edge\n', stderr: '' });
    });
  });

  describe('of no instance', () => {
    const listen = async (server: Server): Promise<AsyncDisposable> => {
      server.listen(path);
      await once(server, 'listening');
      return { [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())) };
    };

    it('says so: nothing there, a dead socket, no socket', async () => {
      await leaveDeadSocket(path);
      const file = directory.write('file', '');
      for (const at of [join(directory.path, 'nothing'), path, file, join(file, 'below')]) {
        await assert.rejects(new ControlClient(at).status(), {
          code: 'ERR_SLUICE_NO_INSTANCE',
          exitCode: 5,
          message: `no instance answers at ${at}`,
          remedy: /start one/,
        });
      }
    });

    it('is not taken in by another server', async () => {
      const answers = ['[1', '{"message":"page not found"}', '{"error":"denied"}', 'null', ''];
      const strangers: Server[] = [
        createServer((socket) =>
          socket
            .resume()
            .on('error', () => undefined)
            .end('220 mail.example\r\n'),
        ),
        ...answers.map((body) => createHttpServer((_, response) => response.writeHead(404).end(body))),
        createHttpServer((_, response) => response.end('<html>')),
      ];
      for (const stranger of strangers) {
        await using _ = await listen(stranger);
        const client = new ControlClient(path);
        await assert.rejects(client.status(), { code: 'ERR_SLUICE_NOT_AN_INSTANCE', exitCode: 5 });
        await client.close();
      }
    });

    it('says so when the connection is closed before the answer', async () => {
      await using _ = await listen(createServer((socket) => socket.once('data', () => socket.destroy())));
      await assert.rejects(client.status(), {
        code: 'ERR_SLUICE_NO_ANSWER',
        exitCode: 5,
        message: `the instance at ${path} did not answer: connection closed`,
      });
    });
  });
});
