/**
 * What becomes of clients when no backend is up, by when-all-down, in the network of nat-support.ts. The checks look for
 * a file, so that backends are down as far as sluice knows and serve nevertheless.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { allDownPolicies } from '../../lib/model/spec.ts';
import { inside } from '../support/inside-netns.ts';
import type { Sluice } from '../support/sluice.ts';
import { commandLine, edgeConfiguration, edgePorts, startClients } from './nat-cli.ts';
import { backends, families, natNetwork, python, startOrigin } from './nat-support.ts';
import { until } from './support.ts';

const outcomes = {
  reject: ['ConnectionRefusedError', 'ConnectionRefusedError'],
  drop: ['TimeoutError', 'TimeoutError'],
  'last-known': ['answered', 'answered'],
} as const;

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const cli = commandLine();
  const well = cli.directory.write('well', '');
  const check = `{ type: exec, command: "test -s ${well}", interval: 100ms, rise: 1, fall: 1 }`;
  const setHealth = async (up: boolean): Promise<void> => {
    cli.directory.write('well', up ? 'yes' : '');
    await until(`all are ${up ? 'up' : 'down'}`, async () =>
      (await cli.backends()).every(({ state }) => state === (up ? 'up' : 'down')),
    );
  };
  let instance: Sluice;

  /** What a new TCP client and a new UDP client of a VIP meet with. */
  const meets = (vip: string): readonly string[] =>
    python(
      client,
      `
def attempt(kind, port):
    s = socket.socket(socket.AF_INET6 if ":" in "${vip}" else socket.AF_INET, kind)
    s.settimeout(1)
    try:
        s.connect(("${vip}", port))
        s.send(b"x")
        return "answered" if s.recv(99) else "closed"
    except OSError as error:
        return type(error).__name__
print(attempt(socket.SOCK_STREAM, ${edgePorts.tcp}), attempt(socket.SOCK_DGRAM, ${edgePorts.udp}))`,
    )
      .trim()
      .split(' ');

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
    const file = cli.directory.write('edge.yaml', edgeConfiguration({ check }));
    instance = await cli.start('up', '-f', file, '--drain', '100ms');
  });
  after(async () => {
    await instance.stop();
    cli.directory.remove();
  });

  for (const policy of allDownPolicies) {
    describe(`with when-all-down: ${policy}`, () => {
      before(async () => {
        await setHealth(true);
        cli.directory.write('edge.yaml', edgeConfiguration({ check, whenAllDown: policy, whenDown: 'drop' }));
        await cli.tell('reload');
      });

      for (const { version, vip } of families) {
        it(`a new client over IPv${version} is answered while a backend is up`, () => {
          assert.deepEqual(meets(vip), ['answered', 'answered']);
        });
      }

      it('new clients meet with what was asked for when none is', async () => {
        await setHealth(false);
        for (const { vip } of families) assert.deepEqual(meets(vip), outcomes[policy]);
      });

      if (policy === 'last-known') {
        it('flows stay where they are, and new ones go to all that went down together', async () => {
          await setHealth(true);
          await using clients = await startClients(network, 6);
          await setHealth(false);
          const before = await clients.reports();
          await clients.until('all go on', ({ busy }, family) =>
            busy.every(({ answers }, at) => answers > before[family]!.busy[at]!.answers + 10),
          );
          for (const { busy } of await clients.reports()) {
            for (const { end } of busy) assert.equal(end, undefined);
          }
          // So many that not all of them choose the same backend by chance.
          await using later = await startClients(network, 24);
          for (const { busy } of await later.reports()) {
            assert.deepEqual(new Set(busy.map(({ backend }) => backend)), new Set(backends));
          }
        });
      }
    });
  }
}
