/**
 * An instance as a process of its own, for tests of what only a process has: signals and an exit code. It is
 * told its control socket, the port that it listens on, that of its backend, that of its backend after a reload,
 * and after how long it stops by itself, if it does; and says what happens to it, in lines.
 */
import { runInstance } from '../../lib/daemon/run.ts';
import { silentLog } from '../../lib/model/log.ts';
import { instanceSpec, service, tcp, to } from './support.ts';

const [control = '', port, backendPort, laterBackendPort, forMs = ''] = process.argv.slice(2);

function specOf(backend: string | undefined) {
  const web = service('web', [to(Number(backend))], { listen: [tcp(Number(port))] });
  return { ...instanceSpec(web), control };
}

process.exitCode = await runInstance({
  spec: specOf(backendPort),
  reread: async () => specOf(laterBackendPort),
  ...(forMs === '' ? {} : { forMs: Number(forMs) }),
  log: { ...silentLog, info: (message) => console.log(message) },
  onReady: () => console.log('ready'),
});
console.log('ended');
