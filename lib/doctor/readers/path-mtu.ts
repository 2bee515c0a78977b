/**
 * How large a packet reaches a machine whole: found out by echo requests that may not be fragmented. Where a large one
 * is lost and nobody says so, while a small one is answered, there is a black hole on the way.
 */
import type { Machine } from '../machine.ts';

export interface PathMtu {
  /** The largest packet that is known to get there, its IP header included; undefined if nothing is answered. */
  readonly mtu: number | undefined;
  /** Packets between `mtu` and what the link carries are lost without a word. */
  readonly isBlackHole: boolean;
}

/** What usual tunnels leave of an Ethernet frame, and the least that IPv6 and IPv4 ask for. */
const usual = [1_492, 1_480, 1_476, 1_460, 1_450, 1_440, 1_420, 1_400, 1_380, 1_280, 576] as const;

/** Asked at the same time, to be quick where packets are lost. */
const together = 16;

/** The MTU of the paths to `targets`, which are addresses with the MTU of the link towards each. */
export async function readPathMtus(
  targets: ReadonlyMap<string, number>,
  machine: Machine,
): Promise<ReadonlyMap<string, PathMtu>> {
  const all = [...targets];
  const found = new Map<string, PathMtu>();
  for (let at = 0; at < all.length; at += together) {
    await Promise.all(
      all.slice(at, at + together).map(async ([address, mtu]) => {
        found.set(address, await pathMtu(address, mtu, machine));
      }),
    );
  }
  return found;
}

async function pathMtu(address: string, linkMtu: number, machine: Machine): Promise<PathMtu> {
  const whole = await ask(address, linkMtu, machine);
  if (whole !== 'lost') return { mtu: whole, isBlackHole: false };
  const smaller = usual.filter((mtu) => mtu < linkMtu);
  const answers = await Promise.all(smaller.map((mtu) => ask(address, mtu, machine)));
  const largest = smaller.find((mtu, index) => answers[index] === mtu);
  return { mtu: largest, isBlackHole: largest !== undefined };
}

/** The size if it gets there; a smaller one if somebody says that it is too large. */
async function ask(address: string, mtu: number, { run }: Machine): Promise<number | 'lost'> {
  const headers = address.includes(':') ? 40 + 8 : 20 + 8;
  // Of a router's word for the first the kernel has made a note, which the second meets and stderr tells.
  const words = ['-n', '-c', '2', '-i', '0.2', '-W', '1', '-M', 'do', '-s', String(mtu - headers), address];
  try {
    await run('ping', words);
    return mtu;
  } catch (error) {
    const told = /mtu[ =:]+(\d+)/i.exec(String(error))?.[1];
    return told === undefined ? 'lost' : Number(told);
  }
}
