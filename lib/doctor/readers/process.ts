/** What this process is allowed: its capabilities and its limits. */
import type { Machine } from '../machine.ts';

export interface ProcessFacts {
  readonly uid: number;
  /** The text of /proc/self/status, for the sets of capabilities. */
  readonly status: string;
  /** Descriptors it may have open at once; Node makes use of the hard limit. */
  readonly openFiles: number | undefined;
  /** Ports below take CAP_NET_BIND_SERVICE. */
  readonly firstOpenPort: number;
}

export function readProcessFacts({ uid, read }: Machine): ProcessFacts {
  const limit = /^Max open files\s+\S+\s+(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  return {
    uid,
    status: read('/proc/self/status') ?? '',
    openFiles: limit === undefined ? undefined : Number(limit),
    firstOpenPort: Number(read('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? 1_024),
  };
}
