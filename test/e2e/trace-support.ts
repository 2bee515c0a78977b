/** What the tests of `sluice trace` against captures share: flows that are open, and packets as they were captured. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { linkLayer } from '../../lib/trace/link-layer.ts';
import { describePacket, describeTunnel } from '../../lib/trace/packet-text.ts';
import { CaptureReader } from '../../lib/trace/pcap.ts';
import type { Host } from '../support/netns.ts';

const fixture = fileURLToPath(new URL('./fixtures/trace-flows.py', import.meta.url));

export interface Flow {
  /** Protocol, client and VIP. */
  readonly words: readonly string[];
  /** By which its packets are known at the backends. */
  readonly payload: string;
}

export interface OpenFlows {
  readonly flows: readonly Flow[];
  end(): void;
}

/** Gives the client more addresses beside the first of each family, and leaves no checksum to its devices. */
export function prepareClient(client: Host, link: string): void {
  client.run(`ethtool -K ${link} tx off gro off`);
  for (let host = 3; host < 20; host++) {
    client.run(
      `ip address add 10.1.0.${host}/24 dev ${link}; ip address add fd01::${host}/64 dev ${link} nodad`,
    );
  }
}

/** Opens random flows from all addresses of a client, and holds them. */
export async function openFlows(
  client: Host,
  seed: number,
  count: number,
  ports: { readonly tcp: number; readonly udp: number },
  vips: readonly string[],
): Promise<OpenFlows> {
  const args = [fixture, ...[seed, count, ports.tcp, ports.udp].map(String), ...vips];
  const child: ChildProcess = client.spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const flows: Flow[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === 'open') break;
    const words = line.split(' ');
    flows.push({ words: words.slice(0, 3), payload: words[3]! });
  }
  return { flows, end: () => void child.kill('SIGKILL') };
}

/** A packet that was captured. */
export interface Captured {
  /** `192.0.2.1:80`, of the packet inside if it is in a tunnel. */
  readonly source: string;
  readonly destination: string;
  readonly isTunnelled: boolean;
  /** In hexadecimal. */
  readonly bytes: string;
}

/** The packets of a capture, without what routers change: time to live, and the checksum over it. */
export function packetsIn(file: string): Captured[] {
  const reader = new CaptureReader();
  return reader.push(readFileSync(file)).flatMap(({ bytes }) => {
    const at = linkLayer(reader.format!.linkType).packetAt(bytes);
    if (at < 0) return [];
    const packet = bytes.slice(at);
    const { source, destination } = describePacket(packet);
    const isTunnelled = describeTunnel(packet) !== null;
    if (packet[0]! >> 4 === 4) {
      // Each process numbers its own outer packets.
      if (isTunnelled) packet.fill(0, 4, 6);
      packet.fill(0, 8, 9);
      packet.fill(0, 10, 12);
    } else packet.fill(0, 7, 8);
    return [{ source, destination, isTunnelled, bytes: Buffer.from(packet).toString('hex') }];
  });
}

/** Of `[2001:db8::1]:80`, the address. */
export function addressOf(end: string): string {
  return end.replace(/:\d+$/, '').replace(/[[\]]/g, '');
}
