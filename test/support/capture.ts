/** What passes an interface of a host, kept by tcpdump and read by tshark. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from './netns.ts';
import { toolPath } from './tools.ts';

export interface Capture {
  /** Ends it, once what has passed is kept. Idempotent. */
  stop(): Promise<void>;
}

/** Begins to keep what passes; `filter` is pcap-filter(7). */
export async function startCapture(
  host: Host,
  interfaceName: string,
  file: string,
  filter = '',
): Promise<Capture> {
  // The kernel would hold packets back to hand over many at once.
  const words = ['--immediate-mode', '-U', '-B', '16384', '-i', interfaceName, '-w', file, filter];
  const tcpdump = host.spawn('tcpdump', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(tcpdump.stderr!, 'data');
  return {
    async stop() {
      if (tcpdump.exitCode !== null || tcpdump.signalCode !== null) return;
      await delay(1_000);
      const closed = once(tcpdump, 'close');
      tcpdump.kill('SIGINT');
      await closed;
    },
  };
}

/**
 * What has a wrong checksum, wherever in it (wireshark-filter(4)). Where Linux makes a checksum of TCP in software it
 * writes 0xffff for 0; both add up to the same, but the dissector wants 0 (RFC 1624).
 */
export const wrongChecksum = [
  ...['ip', 'udp', 'icmp', 'icmpv6'].map((protocol) => `${protocol}.checksum.status == "Bad"`),
  '(tcp.checksum.status == "Bad" && tcp.checksum != 0xffff)',
].join(' || ');

/** The packets of a capture that match (wireshark-filter(4)): of each, a field of the dissector. Checksums are verified. */
export function readCapture(file: string, filter: string, field: string): string[] {
  const verified = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
  const words = ['-r', file, ...verified, '-Y', filter, '-T', 'fields', '-e', field];
  const output = execFileSync(toolPath('tshark'), words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output.split('\n').slice(0, -1);
}
