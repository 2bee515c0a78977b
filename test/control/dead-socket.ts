/** A socket file without a process, as a crash leaves it. */
import { once } from 'node:events';
import { linkSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';

export async function leaveDeadSocket(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer().listen(`${path}~`);
  await once(server, 'listening');
  // Closing removes the name that was bound, and leaves the other.
  linkSync(`${path}~`, path);
  await new Promise((closed) => server.close(closed));
}
