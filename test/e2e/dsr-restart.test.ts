/**
 * A balancer that is killed and starts again where the VIP is an address of its own, so that the kernel would reset
 * whatever comes to it past sluice. In the network of dsr-support.ts.
 *
 *   busy, quiet and UDP clients ──▶ balancer, which has the VIP: sluice up (mode dsr) ══▶ one, two
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { addressOf, backends, dsrNetwork, type Peers, ports, startPeers, untilWell } from './dsr-support.ts';
import { startClients } from './nat-cli.ts';

const vips = { 4: '192.0.2.10', 6: '2001:db8::10' } as const;
const clientsOfEachKind = 8;

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const here = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  const router = network.host('router');
  const directory = scratch();
  const control = join(directory.path, 'edge.sock');
  let peers: Peers;

  before(async () => {
    peers = await startPeers(network, backends, 'gre');
  });
  after(async () => {
    await peers.stop();
    directory.remove();
  });

  const configuration = (path: string): string => {
    const services = ([4, 6] as const).map((family) => {
      const vip = family === 4 ? vips[4] : `[${vips[6]}]`;
      const addresses = backends.map((name) => addressOf[name][family]);
      return `
  - name: ipv${family}
    mode: dsr
    listen: ["tcp://${vip}:${ports.http}", "tcp://${vip}:${ports.echo}", "udp://${vip}:${ports.udp}"]
    backends: ${JSON.stringify(family === 4 ? addresses : addresses.map((address) => `[${address}]`))}
    check: { type: http, path: /, interval: 200ms, timeout: 3s, fall: 2, rise: 1 }`;
    });
    return `dsr: { ${path} }\nservices:${services.join('')}\n`;
  };

  /** Kills a balancer under live flows, and sees them go on once it runs again, with the VIPs on a device. */
  const restart = async (path: string, device: string): Promise<void> => {
    const file = directory.write('edge.yaml', configuration(path));
    const start = async (): Promise<Sluice> => {
      const started = await sluice(['up', '-f', file, '--control', control, '--drain', '100ms']);
      await untilWell(control);
      return started;
    };
    let edge = await start();
    try {
      await using clients = await startClients(network, clientsOfEachKind, Object.values(vips));
      for (let turn = 0; turn < 3; turn++) {
        edge.kill('SIGKILL');
        await edge.exited;
        const before = await clients.reports();
        edge = await start();
        const own = here(`ip -oneline address show dev ${device}`);
        for (const vip of Object.values(vips)) assert.ok(own.includes(` ${vip}/`), own);
        await clients.until('all go on', ({ busy, udp }, vip) =>
          [
            ...busy.map(
              ({ answers, end }, at) => end !== undefined || answers > before[vip]!.busy[at]!.answers,
            ),
            ...udp.map(({ answers }, at) => answers > before[vip]!.udp[at]!.answers),
          ].every(Boolean),
        );
        for (const { busy, quiet, udp } of await clients.reports()) {
          for (const { end } of [...busy, ...quiet]) assert.equal(end, undefined);
          for (const each of udp) assert.equal(each.backends.length, 1);
        }
      }
    } finally {
      await edge.stop();
    }
  };

  describe('a balancer that is killed and starts again', () => {
    for (const workers of [1, 2]) {
      it(`breaks nothing where the VIPs are its own, with ${workers} worker${workers === 1 ? '' : 's'}`, async () => {
        for (const vip of Object.values(vips))
          here(`ip address add ${vip}/${vip.includes(':') ? 128 : 32} dev lo`);
        try {
          await restart(`workers: ${workers}`, 'lo');
        } finally {
          for (const vip of Object.values(vips))
            here(`ip address delete ${vip}/${vip.includes(':') ? 128 : 32} dev lo`);
        }
      });

      it(`breaks nothing where it has added the VIPs, with ${workers} worker${workers === 1 ? '' : 's'}`, async () => {
        for (const vip of Object.values(vips)) {
          router.run(`ip route delete ${vip}; ip route add ${vip} dev balancer`);
        }
        try {
          await restart(`workers: ${workers}, add-vip: router`, 'router');
        } finally {
          router.run(`ip route replace ${vips[4]} via 10.2.0.2; ip route replace ${vips[6]} via fd02::2`);
        }
      });
    }
  });
}
