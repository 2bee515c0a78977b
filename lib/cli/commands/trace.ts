/** `sluice trace`: why a flow goes where it goes. */
import { ExitCode } from '../../model/errors.ts';
import type { TraceView } from '../../model/trace.ts';
import { defineCommand } from '../command.ts';
import { readConfigFile } from '../config-file.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';
import { traceLines } from '../trace-text.ts';

export const trace = defineCommand({
  name: 'trace',
  summary: 'Show the way of a flow, step by step and byte by byte',
  positionals: {
    FLOW: { describe: '[tcp|udp] CLIENT:PORT VIP:PORT, IPv6 in brackets; tcp unless given', many: true },
  },
  flags: {
    file: {
      type: 'string',
      alias: 'f',
      describe: 'Ask a configuration file, in which every backend is up, not a running instance',
    },
    ...remoteFlags,
  },
  examples: [
    ['sluice trace tcp 198.51.100.7:40000 192.0.2.10:80', 'why does this flow go where it goes?'],
    ['sluice trace udp [2001:db8::7]:5000 [2001:db8:1::4]:53 -f edge.yaml', 'where would it go?'],
  ],
  async run({ FLOW, file, json, ...whom }, terminal) {
    const { parseFlowTuple } = await import('../../hash/flow-tuple.ts');
    const flow = parseFlowTuple(FLOW);
    let view: TraceView;
    if (file === undefined) view = await askInstance(whom, (instance) => instance.trace(flow));
    else {
      const spec = await readConfigFile(file);
      const { openOffline } = await import('../../daemon/offline.ts');
      view = await (await openOffline(spec)).trace(flow);
    }
    if (json) terminal.print(JSON.stringify({ event: 'trace', ...view }));
    else traceLines(view, terminal.out).forEach(terminal.print);
    return ExitCode.fine;
  },
});
