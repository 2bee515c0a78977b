/**
 * A million flows through two workers, in the network of nat-support.ts, while others go on with their conversations.
 * Who sends the datagrams is not there to be answered; the backends drop them as they come in.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../lib/control/client.ts';
import { output } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { residentInTablesKiB } from '../support/proc.ts';
import { commandLine, edgeConfiguration, startClients } from './nat-cli.ts';
import { backends, families, natNetwork, startOrigin } from './nat-support.ts';
import { until } from './support.ts';

const flows = 1_000_000;
const packetsPerSecond = 100_000;
const port = 9999;
const [{ vip, backend }] = families;

/** As many source addresses and ports as it takes. */
const snat = [...Array.from({ length: 10 }, (_, index) => `10.8.0.${index + 1}`), 'fd08::1'];
const settings = 'snat-ports: 10000-65535, timeouts: { udp-stream: 90s, established: 10m }';

const sink = `
  - name: sink
    mode: nat
    listen: udp://${vip}:${port}
    backends: ["${backend.one}:${port}", "${backend.two}:${port}"]
    snat: ${JSON.stringify(snat)}
    check: none
`;
const network = inside(import.meta.url, 'balancer', natNetwork, 900_000);
if (network !== undefined) {
  const cli = commandLine();
  const instance = new ControlClient(cli.control);
  const sinkNow = async () => (await instance.status()).services.find(({ name }) => name === 'sink')!;
  const sendOfEach = (packets: number): Promise<string> => {
    const file = fileURLToPath(new URL('./fixtures/many-flows.ts', import.meta.url));
    const args = [vip, port, 0, flows, packets, packetsPerSecond].map(String);
    const { namespace } = network.host('client');
    return output({ program: process.execPath, args: ['--import', 'tsx', file, ...args], namespace });
  };

  before(async () => {
    for (const name of backends) {
      network.host(name).run(`iptables -w -t raw -A PREROUTING -p udp --dport ${port} -j DROP`);
      await startOrigin(network, name);
    }
  });
  after(() => cli.directory.remove());

  it('has room for a million flows in 128 MB, finds each again, and forgets them in time', async (t) => {
    const text = edgeConfiguration({ workers: 2, snat, path: `max-flows: ${flows}, ${settings}` });
    const file = cli.directory.write('edge.yaml', text + sink);
    await using running = await cli.start('up', '-f', file, '--drain', '100ms');
    await using clients = await startClients(network, 12);

    // The second datagram makes a flow one of the live. What a busy machine has lost is made up for by another round.
    for (let round = 0; round < 5 && (await sinkNow()).flows < flows; round++) await sendOfEach(2);
    const full = await sinkNow();
    assert.equal(full.flows, flows);
    const tableMb = (residentInTablesKiB(running.pid, 16_384) * 1_024) / 1e6;
    t.diagnostic(`${Math.round(tableMb)} MB`);
    assert.ok(tableMb > 64 && tableMb <= 128, `${tableMb} MB`);

    await sendOfEach(1);
    const again = await sinkNow();
    assert.deepEqual([again.flows, again.dropped], [flows, {}]);
    // But for some whose second datagram never came, which are forgotten sooner.
    assert.ok(again.connections - full.connections < flows / 1_000);
    assert.ok(again.packetsIn! >= full.packetsIn! + 0.9 * flows);
    const listed = await cli.flows('--limit', '20');
    assert.equal(listed.length, 20);

    const before = await clients.reports();
    await until('all are forgotten', async () => (await sinkNow()).flows === 0, 400_000);
    await clients.until('conversations go on', ({ busy, udp }, family) =>
      [...busy, ...udp].every(
        ({ answers }, at) => answers > [...before[family]!.busy, ...before[family]!.udp][at]!.answers,
      ),
    );
    for (const { busy, quiet, udp } of await clients.reports()) {
      for (const { end } of [...busy, ...quiet]) assert.equal(end, undefined);
      for (const { backends } of udp) assert.equal(backends.length, 1);
    }
  });
}
