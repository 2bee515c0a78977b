/**
 * Packets that were rewritten in the queue live: the kernel routes them anew and takes them for its own or sends them
 * on, whoever the client is and wherever the VIP, on a machine that forwarded nothing and was wary of spoofing.
 *
 *   client 10.1.0.2 ──── 10.1.0.1 balancer 10.2.0.1 ──── 10.2.0.2 backend
 *         fd01::2        fd01::1           fd02::1        fd02::2
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { EtherType, Queue } from 'node-netfilter-queue';
import type { AddedAddress } from '../../../lib/datapath/kernel/description.ts';
import { KernelSetup } from '../../../lib/datapath/kernel/setup.ts';
import { writeSetting } from '../../../lib/datapath/kernel/sysctls.ts';
import { inside } from '../../support/inside-netns.ts';
import { description, rules } from './support/descriptions.ts';
import { tinyNat } from './support/tiny-nat.ts';

const network = inside(import.meta.url, 'balancer', {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', balancer: '10.1.0.1/24 fd01::1/64' } },
    { ends: { balancer: '10.2.0.1/24 fd02::1/64', backend: '10.2.0.2/24 fd02::2/64' } },
  ],
  routes: {
    client: ['default via 10.1.0.1', 'default via fd01::1'],
    balancer: ['default via 10.1.0.2', 'default via fd01::2'],
    backend: ['default via 10.2.0.1', 'default via fd02::1'],
  },
});

const families = [
  { family: 4, vip: '192.0.2.10', snat: '10.2.0.1', remote: '10.2.0.2' },
  { family: 6, vip: '2001:db8::10', snat: 'fd02::1', remote: 'fd02::2' },
] as const;

const port = 8080;

/** Says who asked, and closes; that the balancer goes before the connection has quite ended is no concern of its. */
const serve = `(socket) => {
  socket.on('error', () => {}).end(\`hello \${socket.remoteAddress} \${socket.remotePort}\`);
}`;
const server = `require('net').createServer(${serve}).listen(${port}, '::', () => console.log('up'))`;

if (network !== undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  let servers: ChildProcess[];
  let setup: KernelSetup;
  let queue: Queue;
  /** A backend that has closed a connection would not have the next from the same port yet. */
  let snatPort = 20_000;

  before(async () => {
    for (const name of ['all', 'client', 'backend']) {
      writeSetting(`net/ipv4/conf/${name}/forwarding`, '0');
      writeSetting(`net/ipv4/conf/${name}/rp_filter`, '1');
    }
    writeSetting('net/ipv6/conf/all/forwarding', '0');
    servers = ['backend', 'balancer'].map((name) =>
      network.host(name).spawn(process.execPath, ['-e', server]),
    );
    await Promise.all(servers.map(({ stdout }) => once(stdout!, 'data')));
  });

  afterEach(async () => {
    queue.close();
    await setup.undo();
  });

  after(() => {
    for (const child of servers) child.kill();
    rmSync(directory, { recursive: true });
  });

  for (const { family, vip, snat, remote } of families) {
    const balance = async (backend: string, addedAddresses: AddedAddress[]): Promise<void> => {
      queue = new Queue(100);
      snatPort += 1;
      setup = new KernelSetup({ holder: 'web', directory });
      const vips = [{ address: vip, protocol: 'tcp', port: 80 }] as const;
      await setup.apply(
        description({
          rules: rules({ vips, snatAddresses: [snat] }),
          sources: [vip, snat],
          interfaces: ['client', 'backend'],
          addedAddresses,
        }),
      );
      const translate = tinyNat({ vip, backend, backendPort: port, snat, snatPort });
      void (async () => {
        for await (const packet of queue) {
          assert.equal(packet.etherType, family === 4 ? EtherType.ipv4 : EtherType.ipv6);
          translate(packet.bytes);
          packet.accept(packet.bytes);
        }
      })();
    };

    /** What the VIP says to a client on this machine, or to the one on the other end of the link. */
    const asked = {
      'this machine': () => text(connect({ host: vip, port: 80, signal: AbortSignal.timeout(20_000) })),
      'another host': async () => {
        const program = `require('net').connect(80, '${vip}').setTimeout(20000, process.exit).pipe(process.stdout)`;
        return text(network.host('client').spawn(process.execPath, ['-e', program]).stdout!);
      },
    };

    const vipIs = {
      'an address of this machine': [{ interface: 'client', address: vip }],
      'routed to this machine': [],
    };

    describe(`a rewritten packet, IPv${family}`, () => {
      for (const [client, ask] of Object.entries(asked)) {
        for (const [where, addedAddresses] of Object.entries(vipIs)) {
          for (const [place, backend] of [
            ['another host', remote],
            ['this machine', snat],
          ] as const) {
            it(`lives: client on ${client}, backend on ${place}, VIP ${where}`, async () => {
              await balance(backend, addedAddresses);
              const source = family === 4 ? `::ffff:${snat}` : snat;
              assert.equal(await ask(), `hello ${source} ${snatPort}`);
            });
          }
        }
      }
    });
  }
}
