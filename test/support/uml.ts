/**
 * A Linux kernel of its own on a host of a test's network: User-Mode Linux, an ordinary process. It has what the
 * machine's own kernel may lack, the tunnel devices above all, and shares its file system, read-only.
 *
 *   host ──── TAP ─── vec0 machine (root, one CPU, the machine's programs, Node too)
 *
 * It writes into a folder only, which is /run/x inside; /run itself is memory. Modules come when they are asked for.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Host } from './netns.ts';
import { type Scratch, scratch } from './scratch.ts';
import { missing, toolPath } from './tools.ts';

const modules = '/usr/lib/uml/modules';

/** Why no such kernel can run here, in the form that `node:test` takes for `skip`; false if it can. */
export function umlObstacle(): string | false {
  return missing('linux.uml', 'modprobe', 'busybox');
}

export interface UmlOptions {
  readonly host: Host;
  /** The name of its device on the host, which is up and has these addresses afterwards. */
  readonly tap: { readonly name: string; readonly addresses: readonly string[] };
  /** Shell commands that it begins with: addresses, routes. */
  readonly setUp: readonly string[];
}

export interface Uml {
  /** What is in /run/x. */
  readonly exchange: Scratch;
  /** Runs a shell command to its end and returns what it printed; throws with it if it fails. */
  run(command: string): Promise<string>;
  stop(): Promise<void>;
}

/** Boots, which takes two or three seconds. */
export async function bootUml({ host, tap, setUp }: UmlOptions): Promise<Uml> {
  host.run(`ip tuntap add ${tap.name} mode tap && ip link set ${tap.name} up`);
  for (const address of tap.addresses) {
    host.run(`ip address add ${address} dev ${tap.name} ${address.includes(':') ? 'nodad' : ''}`);
  }
  const exchange = scratch();
  const init = exchange.write('init', initScript(exchange.path));
  const words = [
    ...['mem=256M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=/bin/sh`],
    ...['quiet', 'loglevel=0', 'con=null', 'con0=fd:0,fd:1', 'ssl=null', `uml_dir=${exchange.path}/`],
    ...[`vec0:transport=tap,ifname=${tap.name}`, '--', init],
  ];
  const child = host.spawn(toolPath('linux.uml'), words, { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  let last = 0;
  const answer = async (): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('the kernel has halted');
      const [, number, code] = /^done (\d+) (\d+)\r?$/.exec(value) ?? [];
      if (Number(number) === last) return code!;
    }
  };
  const run = async (command: string): Promise<string> => {
    last++;
    exchange.write(`command.${last}`, command);
    child.stdin!.write(`${last}\n`);
    const code = await answer();
    const output = exchange.read(`output.${last}`);
    if (code !== '0') throw new Error(`${command}\nexited with ${code}\n${output}`);
    return output;
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    exchange.remove();
  };
  try {
    // What is typed before it listens is lost.
    await answer();
    for (const command of ['ip link set lo up; ip link set vec0 up', ...setUp]) await run(command);
  } catch (error) {
    await stop();
    throw error;
  }
  return { exchange, run, stop };
}

/** Its pid 1: prepares the machine and then runs the commands that it is told the numbers of. */
function initScript(exchange: string): string {
  return `export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/modules/lib /run/x
ln -s ${modules} /run/modules/lib/modules
mount -t hostfs none /run/x -o ${exchange}
printf '#!/bin/sh\\nexec modprobe -d /run/modules "$@"\\n' >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
stty -echo
echo done 0 0
while read -r number; do
  sh /run/x/command.$number >/run/x/output.$number 2>&1
  echo "done $number $?"
done
`;
}
