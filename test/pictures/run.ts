/**
 * `npm run pictures`: the pictures of the README, each from a real run: `sluice up` in network namespaces, clients that
 * come and go in waves, and `sluice top --snapshot` at a moment when there is something to see. Takes root and some
 * two minutes.
 *
 *   clients 198.51.100.2–60 ──── 198.51.100.1 edge ──┬── 10.0.2.11 web-1
 *                            VIPs 192.0.2.10, .20,   ├── 10.0.2.12 web-2
 *                            .53                     └── 10.0.2.13 web-3
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createNetwork, namespaceObstacle } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, sluice } from '../support/sluice.ts';

const backends = ['web-1', 'web-2', 'web-3'] as const;
const runMs = 110_000;

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const configuration = `name: edge-1
services:
  - name: web
    mode: nat
    listen: tcp://192.0.2.10:443
    backends: [10.0.2.11:8443, 10.0.2.12:8443, { address: "10.0.2.13:8443", weight: 2 }]
    check: { type: http, path: /healthz }
  - name: video
    mode: dsr
    listen: tcp://192.0.2.20:443
    backends: [10.0.2.11, 10.0.2.13]
    check: { type: http, path: /healthz }
  - name: dns
    mode: nat
    listen: udp://192.0.2.53:53
    backends: [10.0.2.11:53, 10.0.2.12:53]
  - name: api
    listen: tcp://198.51.100.1:8080
    balance: least-connections
    backends: [10.0.2.12:8443, 10.0.2.13:8443]
    check: { type: http, path: /healthz }
`;

const obstacle = namespaceObstacle();
if (obstacle !== false) throw new Error(obstacle);
const addresses = Array.from({ length: 59 }, (_, host) => `198.51.100.${host + 2}/24`).join(' ');
const network = createNetwork({
  links: [
    { ends: { clients: addresses, edge: '198.51.100.1/24' } },
    ...backends.map((name, index) => ({
      ends: { edge: `10.1.${index}.1/30`, [name]: `10.1.${index}.2/30` },
    })),
  ],
  routes: {
    clients: ['default via 198.51.100.1'],
    // The VIP of mode dsr too, which checks are sent to.
    edge: [
      ...backends.map((_, index) => `10.0.2.${11 + index}/32 via 10.1.${index}.2`),
      'default via 198.51.100.2',
    ],
    ...Object.fromEntries(backends.map((name, index) => [name, [`default via 10.1.${index}.1`]])),
  },
});
const directory = scratch();
try {
  for (const [index, name] of backends.entries()) {
    const host = network.host(name);
    host.run(`ip address add 10.0.2.${11 + index}/32 dev lo`);
    // Stopped with the network.
    await sluice(['backend', '192.0.2.20', '--from', '10.1.0.0/16', '--name', name], {
      namespace: host.namespace,
    });
    const program = ['--import', 'tsx', pathOf('./origin.ts'), `10.0.2.${11 + index}`, '192.0.2.20'];
    const origin = host.spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(origin.stdout!, 'data');
  }
  const file = directory.write('edge.yaml', configuration);
  const control = `${directory.path}/edge-1.sock`;
  await using _ = await sluice(['up', '-f', file, '--control', control], {
    namespace: network.host('edge').namespace,
  });
  network
    .host('clients')
    .spawn(process.execPath, ['--import', 'tsx', pathOf('./clients.ts')], { stdio: 'inherit' });
  const tell = (...words: string[]) => runSluice([...words, '--control', control]);
  await delay(runMs * 0.8);
  await tell('drain', '10.0.2.12:8443', '--service', 'web');
  await delay(runMs * 0.2);
  for (const view of ['overview', 'flows']) {
    const picture = pathOf(`../../man/pictures/${view}.svg`);
    const { code, stderr } = await tell('top', '--view', view, '--size', '120x34', '--snapshot', picture);
    if (code !== 0) throw new Error(stderr);
    console.log(picture);
  }
} finally {
  network.remove();
  directory.remove();
}
