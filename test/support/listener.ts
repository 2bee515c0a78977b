/** A peer that serves one port: of the loopback, or of all addresses of a network namespace. */
import { type Command, type Server, startServer } from './child.ts';
import { listening, type Transport } from './ports.ts';
import type { Scratch } from './scratch.ts';

export interface Listener extends Server {
  readonly port: number;
}

/** Starts it and waits until it listens; `directory` is its own and goes away with it. */
export async function startListener(
  command: Command,
  { port, transport = 'tcp', directory }: { port: number; transport?: Transport; directory?: Scratch },
): Promise<Listener> {
  const untilListening = ({ pid }: Server, signal: AbortSignal) => listening(transport, port, signal, pid);
  const server = await startServer(command, untilListening, directory?.remove);
  return { ...server, port };
}

/** Where a peer runs: any free port and any core, and on the loopback of this machine, when absent. */
export interface Placement {
  readonly port?: number;
  readonly core?: number | undefined;
  readonly namespace?: string | undefined;
}
