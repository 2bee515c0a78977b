/** `sluice proxy`: one service from the command line alone. */
import { defineCommand } from '../command.ts';
import { balanceFlags, foregroundFlags, instanceFlags, proxyFlags } from '../flags.ts';
import { runInForeground } from '../foreground.ts';

export const proxy = defineCommand({
  name: 'proxy',
  summary: 'Terminate TCP or UDP and relay it to backends',
  positionals: {
    LISTEN: { describe: '[tcp://|udp://]HOST:PORT, or :PORT for every address; port 0 takes a free one' },
    BACKEND: { describe: 'HOST:PORT, or HOST:PORT=WEIGHT', many: true },
  },
  flags: { ...balanceFlags, ...proxyFlags, ...instanceFlags, ...foregroundFlags },
  examples: [
    ['sluice proxy :8080 10.0.0.1:80 10.0.0.2:80=2', 'TCP to two backends, the second with twice the share'],
    ['sluice proxy udp://:53 10.0.0.1:53 [fd00::2]:53 --balance source', 'UDP, each client to one backend'],
    [
      'sluice proxy :443 a.internal:443 b.internal:443 --check https:/health --check-interval 2s',
      'only to backends whose health page answers',
    ],
    [
      'sluice proxy 127.0.0.1:0 127.0.0.1:9001 --json --for 30s',
      'for a script: a free port, which the first line tells, and an end',
    ],
  ],
  async run({ LISTEN, BACKEND, ...flags }, terminal) {
    const { instanceFromArguments } = await import('../../config/one-liner.ts');
    const spec = instanceFromArguments({ ...flags, listen: LISTEN, backends: BACKEND });
    return runInForeground({ spec, flags, terminal });
  },
});
