/** The life and death of TCP connections through mode nat, in the network of nat-support.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { inside } from '../support/inside-netns.ts';
import {
  backends,
  type Datapath,
  families,
  natNetwork,
  python,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

const ports = [9000, 9001, 9002, 9003];

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  let datapath: Datapath;

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
  });

  for (const workers of [1, 2]) {
    describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
      before(async () => {
        const vips = families.flatMap((family) => ports.map((port) => vipOf(family, 'tcp', port, port)));
        datapath = await startDatapath(vips, { workers });
      });
      after(() => datapath.stop());

      for (const family of families) {
        const connect = (port: number, source = 0): string => `connect("${family.vip}", ${port}, ${source})`;
        const stateOf = (source: number): string | undefined =>
          datapath
            .flows({ limit: 1_000 })
            .flows.find(({ client: from }) => from.endsWith(`:${source}`) && from.includes(family.client))
            ?.trackedState;

        describe(`TCP over IPv${family.version}`, () => {
          it('is closed by the client', () => {
            const said = python(
              client,
              `
s = ${connect(9003, 40_001)}
s.send(b"hello")
print(s.recv(9).decode())
s.close()`,
            );
            assert.equal(said, 'hello\n');
            assert.match(stateOf(40_001) ?? '', /^(last-ack|time-wait)$/);
          });

          it('is closed by the backend', () => {
            const said = python(
              client,
              `
s = ${connect(9001, 40_002)}
print(s.recv(9).decode().strip(), s.recv(9))
s.close()`,
            );
            assert.match(said, /^(one|two) b''\n$/);
            assert.match(stateOf(40_002) ?? '', /^(last-ack|time-wait)$/);
          });

          it('is half open for as long as the backend has something to say', () => {
            const said = python(
              client,
              `
s = ${connect(9000, 40_003)}
s.sendall(bytes(1000000))
s.shutdown(socket.SHUT_WR)
print(s.recv(99).decode().strip(), s.recv(9))`,
            );
            assert.equal(said, "1000000 b''\n");
          });

          it('is reset by the backend', () => {
            const said = python(
              client,
              `
s = ${connect(9002, 40_004)}
s.send(b"x")
try:
    print(s.recv(9))
except ConnectionResetError:
    print("reset")`,
            );
            assert.equal(said, 'reset\n');
            assert.equal(stateOf(40_004), 'reset');
          });

          it('is reset by the client', () => {
            python(
              client,
              `
s = ${connect(9003, 40_005)}
s.send(b"x")
s.recv(9)
abort(s)`,
            );
            assert.equal(stateOf(40_005), 'reset');
          });

          it('begins anew from the same port at once, however the last one ended', () => {
            const said = python(
              client,
              `
for turn in range(20):
    s = ${connect(9001, 40_010)}
    s.recv(9)
    s.recv(9)
    s.close()
    s = ${connect(9002, 40_010)}
    abort(s)
    s = ${connect(9003, 40_010)}
    s.send(b"x")
    assert s.recv(9) == b"x"
    abort(s)
print("done")`,
            );
            assert.equal(said, 'done\n');
          });
        });
      }

      it('drops nothing on the way', () => {
        for (const family of families) {
          for (const port of ports) assert.deepEqual(datapath.drops(vipOf(family, 'tcp', port, port)), {});
        }
      });
    });
  }

  it('is forgotten when it was silent for too long, and not before', async () => {
    const services = families.map((family) => vipOf(family, 'tcp', 9103, 9003));
    const timeouts = { ...defaultFlowTimeouts, established: 2_000 };
    const hasty = await startDatapath(services, { workers: 2, timeouts });
    try {
      const said = python(
        client,
        `
import time
held = [connect(vip, 9103, port) for vip in ("10.9.0.1", "fd09::1") for port in range(40020, 40028)]
for turn in range(4):
    for s in held:
        s.send(b"x")
        assert s.recv(9) == b"x"
    time.sleep(1)
for s in held:
    s.send(b"y")
print(all(s.recv(9) == b"y" for s in held))
time.sleep(4)
for s in held:
    s.send(b"z")
    s.settimeout(0.2)
    try:
        s.recv(9)
    except TimeoutError:
        print("silence")
    abort(s)`,
      );
      assert.equal(said, `True\n${'silence\n'.repeat(16)}`);
      assert.equal(hasty.flowCount(), 0);
      for (const service of services) assert.ok(hasty.drops(service)['no-flow']! >= 16);
    } finally {
      await hasty.stop();
    }
  });
}
