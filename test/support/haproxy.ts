/** HAProxy on the loopback, as a TCP balancer with one thread. */
import { type Listener, type Placement, startListener } from './listener.ts';
import { freePort } from './ports.ts';
import { scratch } from './scratch.ts';
import { toolPath } from './tools.ts';

export interface HaproxyOptions extends Placement {
  /** Port of the loopback that it relays to. */
  readonly backend: number;
  /** Further words of its `bind` line: `accept-proxy`. */
  readonly bind?: string;
  /** Further words of its `server` line: `send-proxy-v2`. */
  readonly server?: string;
}

export async function haproxy(options: HaproxyOptions): Promise<Listener> {
  const { backend, bind = '', server = '', port = await freePort(), core } = options;
  const directory = scratch();
  const file = directory.write(
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn 4096
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen relay
  bind 127.0.0.1:${port} backlog 4096 ${bind}
  server backend 127.0.0.1:${backend} ${server}
`,
  );
  return startListener(
    { program: toolPath('haproxy'), args: ['-db', '-f', file], core },
    { port, directory },
  );
}
