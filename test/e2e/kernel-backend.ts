/**
 * The backend of backend-support.ts on a kernel of its own, which has tunnels: User-Mode Linux, joined to the router by a
 * tap device.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { TunnelEndCounts } from '../../lib/tunnel-end/tunnel-end.ts';
import type { Network } from '../support/netns.ts';
import { type Event, entry } from '../support/sluice.ts';
import { bootUml, type Uml } from '../support/uml.ts';
import { backend } from './backend-support.ts';

const origin = fileURLToPath(new URL('./fixtures/kernel-origin.mjs', import.meta.url));

/** Boots it, with kernel-origin.mjs on every address. */
export function bootBackend(network: Network): Promise<Uml> {
  return bootUml({
    host: network.host('router'),
    tap: { name: 'backend', addresses: ['10.3.0.1/24', 'fd03::1/64'] },
    setUp: [
      // Each brings an idle device of its own, which stays.
      'for module in ip_gre ip6_gre ipip sit ip6_tunnel; do modprobe -d /run/modules $module; done',
      `ip address add ${backend[4]}/24 dev vec0; ip route add default via 10.3.0.1`,
      `ip address add ${backend[6]}/64 dev vec0 nodad; ip route add default via fd03::1`,
      `${process.execPath} ${origin} >/run/x/origin 2>&1 & until grep -q ready /run/x/origin; do sleep 0.1; done`,
      'while ip address | grep -q tentative; do sleep 0.1; done',
    ],
  });
}

/** A running `sluice backend`, which ends with its block. */
export interface RunningBackend extends AsyncDisposable {
  readonly ready: Event;
  /** Ends it, and says what it had counted. */
  stop(): Promise<TunnelEndCounts>;
  kill(): Promise<void>;
}

/** Starts `sluice backend` inside; one at a time. */
export async function startBackendInside(uml: Uml, words: string): Promise<RunningBackend> {
  const events = (): Event[] =>
    uml.exchange
      .read('events')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  await uml.run(`rm -f /run/x/ended; : >/run/x/events
{ ${process.execPath} ${entry} backend ${words} --json >/run/x/events 2>/run/x/said & echo $! >/run/pid; wait $!; echo $? >/run/x/ended; } &
until grep -q ready /run/x/events || [ -s /run/x/ended ]; do sleep 0.1; done; grep ready /run/x/events || { cat /run/x/said; false; }`);
  const end = async (signal: string): Promise<string> =>
    (
      await uml.run(
        `[ -s /run/x/ended ] || kill -${signal} $(cat /run/pid); until [ -s /run/x/ended ]; do sleep 0.1; done; cat /run/x/ended`,
      )
    ).trim();
  return {
    ready: events()[0]!,
    async stop() {
      assert.equal(await end('INT'), '0');
      const { event, ...counts } = events().at(-1)!;
      assert.equal(event, 'stopped');
      return counts as unknown as TunnelEndCounts;
    },
    async kill() {
      await end('KILL');
    },
    async [Symbol.asyncDispose]() {
      await end('INT');
    },
  };
}

/** What a device of the kernel has taken in, and what was wrong with it. */
export async function received(uml: Uml, device: string): Promise<{ packets: number; faults: number }> {
  const [link] = JSON.parse(await uml.run(`ip -json -s -s link show dev ${device}`));
  const { packets, errors, dropped, crc_errors, frame_errors, length_errors } = link.stats64.rx;
  return { packets, faults: errors + dropped + crc_errors + frame_errors + length_errors };
}

/** How many packets the kernel found with a wrong checksum, in tunnels or out of them, whatever the protocol. */
export async function wrongChecksums(uml: Uml): Promise<number> {
  const counters = await uml.run("nstat -asz '*CsumErrors'");
  const values = Array.from(counters.matchAll(/CsumErrors +(\d+)/g), ([, value]) => Number(value));
  assert.ok(values.length > 3, counters);
  return values.reduce((sum, value) => sum + value, 0);
}
