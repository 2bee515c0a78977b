/** `sluice backend`: this machine as a backend of direct server return. */
import { parseDuration } from '../../model/duration.ts';
import { encapsulations } from '../../model/encapsulation.ts';
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { readFlag } from '../flag-value.ts';
import { foregroundFlags } from '../flags.ts';
import { createLog } from '../log.ts';

export const backend = defineCommand({
  name: 'backend',
  summary:
    'Be a backend of sluice dsr: take in its tunnels, answer as the VIP (root, or CAP_NET_ADMIN and CAP_NET_RAW)',
  positionals: {
    VIP: { describe: 'An address that clients use, without port; it is put on lo', many: true },
  },
  flags: {
    from: {
      type: 'string',
      describe: 'Where tunnels may come from: ADDRESS or ADDRESS/BITS, several with commas between them',
    },
    encap: {
      type: 'string',
      choices: encapsulations,
      describe: 'How requests come: gre, ipip, or l2 on the same link; gre unless given',
    },
    mss: {
      type: 'string',
      describe:
        'Segment size that clients are told: what fits through the tunnel unless given; BYTES, or off',
    },
    print: {
      type: 'boolean',
      describe: 'Print the shell commands for a machine without Node instead, change nothing',
    },
    name: { type: 'string', describe: 'Name of the instance: backend unless given' },
    ...foregroundFlags,
  },
  examples: [
    ['sluice backend 192.0.2.10 --from 10.0.0.1', 'take in GRE from the balancer 10.0.0.1'],
    [
      'sluice backend 192.0.2.10 2001:db8::10 --from 10.0.0.1,10.0.1.0/24',
      'two VIPs; tunnels from a balancer and from a network of outer sources',
    ],
    ['sluice backend 192.0.2.10 --encap l2', 'no tunnel: the balancer is on the same link'],
    [
      'sluice backend 192.0.2.10 --from 10.0.0.1 --print | ssh web-1 sudo sh',
      'the same on a machine that has no Node, until its next start',
    ],
  ],
  async run({ VIP, print, ...flags }, terminal) {
    const { tunnelEndFromArguments } = await import('../../config/tunnel-end.ts');
    const spec = tunnelEndFromArguments({ ...flags, vips: VIP });
    const forMs = readFlag('--for', flags.for, parseDuration);
    if (print) {
      const { printTunnelEnd } = await import('../../tunnel-end/print/print.ts');
      const { shell, files } = printTunnelEnd(spec);
      if (flags.json) terminal.print(JSON.stringify({ event: 'print', shell, files }));
      else terminal.print(shell);
      return ExitCode.fine;
    }
    const [{ runTunnelEnd }, { readyEvent, readyLine }] = await Promise.all([
      import('../../daemon/run-tunnel-end.ts'),
      import('../tunnel-end-words.ts'),
    ]);
    return runTunnelEnd({
      spec,
      ...(forMs === undefined ? {} : { forMs }),
      log: createLog({
        level: flags.logLevel ?? 'info',
        format: flags.logFormat ?? 'text',
        style: terminal.err,
        now: () => new Date(),
        write: terminal.say,
      }),
      onReady(plan) {
        if (flags.json) terminal.print(JSON.stringify(readyEvent(plan)));
        else if (flags.logLevel !== 'silent') terminal.say(readyLine(plan));
      },
      onStopped(counts) {
        if (flags.json) terminal.print(JSON.stringify({ event: 'stopped', ...counts }));
      },
    });
  },
});
