/** `sluice nat`: one service whose packets are rewritten, from the command line alone. */
import { defineCommand } from '../command.ts';
import { balanceFlags, foregroundFlags, instanceFlags, natFlags, natPathFlags } from '../flags.ts';
import { runInForeground } from '../foreground.ts';

export const nat = defineCommand({
  name: 'nat',
  summary:
    'Rewrite packets to backends and back, terminating nothing (root, or CAP_NET_ADMIN and CAP_NET_RAW)',
  positionals: {
    VIP: {
      describe: '[tcp://|udp://]HOST:PORT that clients use, or :PORT for every address of this machine',
    },
    BACKEND: { describe: 'HOST:PORT, or HOST:PORT=WEIGHT; not on a loopback address', many: true },
  },
  flags: { ...balanceFlags, ...natFlags, ...natPathFlags, ...instanceFlags, ...foregroundFlags },
  examples: [
    ['sluice nat :8080 10.0.0.1:80 10.0.0.2:80=2', 'TCP to two backends, at every address of this machine'],
    [
      'sluice nat 192.0.2.10:80 10.0.0.1:80 10.0.0.2:80 --add-vip eth0',
      'at an address of its own, announced on eth0 for as long as it runs',
    ],
    [
      'sluice nat udp://192.0.2.10:53 10.0.0.1:53 10.0.0.2:53 --snat none',
      'backends see their clients, and have this machine as their router',
    ],
    [
      'sluice nat 192.0.2.10:443 10.0.0.1:443 10.0.0.2:443 --workers 2 --snat-ports 20000-32767',
      'two threads, and more flows to each backend at once',
    ],
  ],
  async run({ VIP, BACKEND, ...flags }, terminal) {
    const { natInstanceFromArguments } = await import('../../config/one-liner.ts');
    const spec = natInstanceFromArguments({ ...flags, listen: VIP, backends: BACKEND });
    return runInForeground({ spec, flags, terminal });
  },
});
