/** Every key of the dashboard against `sluice dsr`, all in IPv6, in the network of dsr-support.ts. */
import { join } from 'node:path';
import { after } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { testPlaces } from './dashboard-places.ts';
import { addressOf, backends, dsrNetwork, type Peers, ports, startPeers } from './dsr-support.ts';
import { startClients } from './nat-cli.ts';

const timeoutMs = 300_000;
const vip = '2001:db8::10';

const network = inside(import.meta.url, 'balancer', dsrNetwork, timeoutMs);
if (network !== undefined) {
  const directory = scratch();
  let peers: Peers;
  testPlaces({
    mode: 'dsr',
    service: [`'[${vip}]:${ports.echo}'`, ...backends.map((name) => `'[${addressOf[name][6]}]'`)],
    control: join(directory.path, 'dsr.sock'),
    async prepare() {
      peers = await startPeers(network, backends, 'gre');
    },
    startClients: () => startClients(network, 4, [vip], { tcp: ports.echo, udp: 0 }),
  });
  after(async () => {
    await peers.stop();
    directory.remove();
  });
}
