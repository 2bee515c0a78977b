/** Who waits for clients on this machine, as ss(8) tells it. */
import { parseHostPort } from '../../model/address.ts';
import type { Protocol } from '../../model/spec.ts';
import type { Machine } from '../machine.ts';

export interface Listener {
  readonly protocol: Protocol;
  /** Empty for every address. */
  readonly address: string;
  readonly port: number;
  /** The program's name; empty where it may not be seen. */
  readonly program: string;
  readonly pid: number | undefined;
  /** The unit of systemd that it belongs to: `nginx.service`. */
  readonly unit: string | undefined;
}

/** Listening TCP sockets and UDP sockets that have no peer; undefined if ss(8) does not tell. */
export async function readListeners({ run, read }: Machine): Promise<readonly Listener[] | undefined> {
  const shown = await run('ss', ['--no-header', '-lntup']).catch(() => undefined);
  return shown
    ?.split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const [protocol, , , , local = ''] = line.split(/\s+/);
      const [, program = '', pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
      const { host, port } = parseHostPort(
        local.replace(/^(\*|0\.0\.0\.0|\[::\]):/, ':').replace(/%[^\]:]+/, ''),
        'bind',
      );
      const group = pid === undefined ? undefined : read(`/proc/${pid}/cgroup`);
      return [
        {
          protocol: protocol === 'udp' ? 'udp' : 'tcp',
          address: host,
          port,
          program,
          pid: pid === undefined ? undefined : Number(pid),
          unit: /\/([^/\n]+\.service)$/m.exec(group ?? '')?.[1],
        } satisfies Listener,
      ];
    });
}
