/** nginx on the loopback: as the HTTP origin behind a balancer, and as a TCP and UDP balancer of its own. */
import { userInfo } from 'node:os';
import { type Listener, type Placement, startListener } from './listener.ts';
import { freePort, type Transport } from './ports.ts';
import { scratch } from './scratch.ts';
import { toolPath } from './tools.ts';

export interface NginxOriginOptions extends Placement {
  /** What every request is answered with: a short text without `$`. */
  readonly body?: string;
}

/** An HTTP server that keeps connections alive for as long as its clients like. */
export async function nginxOrigin(options: NginxOriginOptions = {}): Promise<Listener> {
  const { body = 'hello\n', port = await freePort(), core, namespace } = options;
  const address = namespace === undefined ? '127.0.0.1' : '0.0.0.0';
  return nginx(
    { port, core, namespace },
    http(`listen ${address}:${port} backlog=4096; location / { return 200 ${JSON.stringify(body)}; }`),
  );
}

export interface NginxFilesOptions extends Placement {
  /** The directory whose files are served, and where a PUT leaves one. */
  readonly root: string;
}

/** An HTTP server of files, of any size and both ways. */
export async function nginxFiles(options: NginxFilesOptions): Promise<Listener> {
  const { root, port = await freePort(), core } = options;
  const words = `listen 127.0.0.1:${port}; root ${root}; dav_methods PUT; client_max_body_size 0;`;
  // Started by root, it would give that up and find the directory closed to it.
  return nginx({ port, core }, `user ${userInfo().username}; ${http(words)}`);
}

/** One HTTP server, whose clients keep their connections for as long as they like. */
function http(server: string): string {
  return `http {
      access_log off;
      keepalive_requests 1000000000;
      client_body_temp_path client_body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      server { ${server} }
    }`;
}

export interface NginxStreamOptions extends Placement {
  readonly transport?: Transport;
  /** Port of the loopback that it relays to. */
  readonly backend: number;
  /** A UDP session ends after so many answers to each question; otherwise when it is idle. */
  readonly udpAnswers?: number | undefined;
}

/** A layer-4 balancer in front of one port of the loopback. */
export async function nginxStream(options: NginxStreamOptions): Promise<Listener> {
  const { transport = 'tcp', backend, udpAnswers, port = await freePort(), core } = options;
  const responses = udpAnswers === undefined ? '' : `proxy_responses ${udpAnswers};`;
  return nginx(
    { port, core, transport, module: toolPath('nginx-stream') },
    `stream {
      server {
        listen 127.0.0.1:${port} ${transport === 'udp' ? 'udp' : 'backlog=4096'};
        proxy_pass 127.0.0.1:${backend}; ${responses}
      }
    }`,
  );
}

interface NginxOptions {
  readonly port: number;
  readonly core: number | undefined;
  readonly namespace?: string | undefined;
  readonly transport?: Transport;
  readonly module?: string;
}

/** One worker, in a directory of its own, which relative paths of the configuration start from. */
function nginx(
  { port, core, namespace, transport = 'tcp', module }: NginxOptions,
  block: string,
): Promise<Listener> {
  const directory = scratch();
  const file = directory.write(
    'nginx.conf',
    `${module === undefined ? '' : `load_module ${module};`}
    daemon off;
    worker_processes 1;
    pid pid;
    error_log stderr crit;
    events { worker_connections 16384; }
    ${block}
    `,
  );
  const args = ['-p', directory.path, '-e', 'stderr', '-c', file];
  return startListener({ program: toolPath('nginx'), args, core, namespace }, { port, transport, directory });
}
