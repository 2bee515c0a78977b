/**
 * `sluice dsr` in front of a real kernel's tunnel devices, which know nothing of sluice: the network of backend-support.ts,
 * the backend as in kernel-backend.ts.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readCapture, startCapture, wrongChecksum } from '../support/capture.ts';
import { createNetwork, type Network, namespaceObstacle } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { type Uml, umlObstacle } from '../support/uml.ts';
import {
  backend,
  balancer,
  combinations,
  forbidOffload,
  frontNetwork,
  url,
  vips,
} from './backend-support.ts';
import { untilWell } from './dsr-support.ts';
import { bootBackend, received, startBackendInside, wrongChecksums } from './kernel-backend.ts';

const from = `${balancer[4]},${balancer[6]}`;
const skip = namespaceObstacle() || umlObstacle() || missing('tshark', 'tcpdump', 'ethtool');

const tunnelled = `(ip.dst == ${backend[4]} || ipv6.dst == ${backend[6]})`;
describe('sluice dsr, before a kernel with tunnels of its own', { skip }, () => {
  const directory = scratch();
  const control = join(directory.path, 'dsr.sock');
  let network: Network;
  let uml: Uml;

  before(async () => {
    network = createNetwork(frontNetwork);
    forbidOffload(network, ['client', 'balancer']);
    uml = await bootBackend(network);
  });
  after(async () => {
    await uml?.stop();
    network?.remove();
    directory.remove();
  });

  async function startBalancer(kind: 'gre' | 'ipip'): Promise<Sluice> {
    const services = combinations.map(({ vip, outer }, index) => {
      const [listen, address] = [url(vip).replace('http', 'tcp'), backend[outer]];
      const ends = JSON.stringify([address.includes(':') ? `[${address}]` : address]);
      const check = '{ type: http, path: /, interval: 500ms, timeout: 2s }';
      return `  - { name: service-${index}, mode: dsr, encap: ${kind}, listen: "${listen}", backends: ${ends}, check: ${check} }`;
    });
    const file = directory.write('edge.yaml', `services:\n${services.join('\n')}\n`);
    const { namespace } = network.host('balancer');
    const running = await sluice(['up', '-f', file, '--control', control], { namespace });
    await untilWell(control);
    return running;
  }

  for (const [kind, devices] of [
    ['gre', ['sluice-gre', 'sluice-gre6']],
    ['ipip', ['sluice-ipip', 'sluice-sit0', 'sluice-ip6tnl']],
  ] as const) {
    it(`has requests taken out of ${kind} without a fault, and answered past the balancer`, async () => {
      await using end = await startBackendInside(uml, `${vips.join(' ')} --from ${from} --encap ${kind}`);
      await using _ = await startBalancer(kind);
      const files = ['balancer', 'backend'].map((name) => join(directory.path, `${kind}-${name}.pcap`));
      const captures = [
        await startCapture(network.host('balancer'), 'router', files[0]!),
        await startCapture(network.host('router'), 'backend', files[1]!),
      ];
      const size = 300_001;
      const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');
      for (const vip of vips) {
        const upload = `head -c ${size} /dev/zero | curl -gsS --max-time 60 -T - -H Expect: ${url(vip)}/put`;
        assert.equal(network.host('client').run(upload), hash, vip);
      }
      for (const capture of captures) await capture.stop();
      for (const file of files) {
        const matching = (filter: string): string[] => readCapture(file, filter, 'frame.number');
        assert.ok(matching(`${tunnelled} && tcp`).length > (4 * size) / 1_460, file);
        assert.deepEqual(matching(`${tunnelled} && (${wrongChecksum})`), [], file);
      }
      for (const vip of vips) {
        // Checks are answered to the balancer, clients are not.
        const [ip, client] = vip.includes(':') ? ['ipv6', 'fd01::2'] : ['ip', '10.1.0.2'];
        const answers = `${ip}.src == ${vip} && ${ip}.dst == ${client}`;
        assert.deepEqual(readCapture(files[0]!, answers, 'frame.number'), [], vip);
      }
      for (const device of devices) {
        const { packets, faults } = await received(uml, device);
        assert.ok(packets > size / 1_460, device);
        assert.equal(faults, 0, device);
      }
      assert.equal(await wrongChecksums(uml), 0);
      assert.deepEqual(await end.stop(), { strangers: 0, notForVip: 0 });
    });
  }
});
