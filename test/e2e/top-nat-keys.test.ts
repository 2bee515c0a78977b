/** Every key of the dashboard against `sluice nat`, in the network of nat-support.ts. */
import { after } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import { testPlaces } from './dashboard-places.ts';
import { commandLine, edgePorts, startClients } from './nat-cli.ts';
import { backends, families, natNetwork, startOrigin } from './nat-support.ts';

const timeoutMs = 300_000;

const network = inside(import.meta.url, 'balancer', natNetwork, timeoutMs);
if (network !== undefined) {
  const { directory, control } = commandLine();
  const [{ vip, backend }] = families;
  testPlaces({
    mode: 'nat',
    service: [vip, ...backends.map((name) => backend[name])].map((host) => `${host}:${edgePorts.tcp}`),
    control,
    async prepare() {
      for (const name of backends) await startOrigin(network, name);
    },
    startClients: () => startClients(network, 4, [vip], { ...edgePorts, udp: 0 }),
  });
  after(() => directory.remove());
}
