/** `sluice trace`: why a flow goes where it goes, or what becomes of a capture. */
import { ExitCode, usageError } from '../../model/errors.ts';
import { captureSummaryLines, packetLine } from '../capture-text.ts';
import { defineCommand } from '../command.ts';
import { readConfigFile } from '../config-file.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance, type Whom } from '../remote.ts';
import type { Terminal } from '../terminal.ts';
import { traceLines } from '../trace-text.ts';

export const trace = defineCommand({
  name: 'trace',
  summary: 'Show the way of a flow, step by step and byte by byte, or run a capture through',
  positionals: {
    FLOW: {
      describe: '[tcp|udp] CLIENT:PORT VIP:PORT, IPv6 in brackets; tcp unless given',
      many: true,
      optional: true,
    },
  },
  flags: {
    file: {
      type: 'string',
      alias: 'f',
      describe: 'Ask a configuration file, in which every backend is up, not a running instance',
    },
    pcap: { type: 'string', describe: 'Run the packets of a capture through, as tcpdump -w has written it' },
    write: { type: 'string', describe: 'Write what becomes of them as another capture' },
    ...remoteFlags,
  },
  examples: [
    ['sluice trace tcp 198.51.100.7:40000 192.0.2.10:80', 'why does this flow go where it goes?'],
    ['sluice trace udp [2001:db8::7]:5000 [2001:db8:1::4]:53 -f edge.yaml', 'where would it go?'],
    ['sluice trace --pcap in.pcap --write out.pcap', 'what becomes of these packets, and why?'],
  ],
  async run({ FLOW = [], file, pcap, write, json, ...whom }, terminal) {
    if (pcap !== undefined) {
      if (FLOW.length > 0) throw usageError('a flow and --pcap exclude each other', 'leave one out');
      await traceCapture({ read: pcap, write }, { file, whom }, json, terminal);
      return ExitCode.fine;
    }
    if (write !== undefined) throw usageError('--write is for --pcap', 'name a capture with --pcap FILE');
    const { parseFlowTuple } = await import('../../hash/flow-tuple.ts');
    const flow = parseFlowTuple(FLOW);
    const view =
      file === undefined
        ? await askInstance(whom, (instance) => instance.trace(flow))
        : await (await openFile(file)).trace(flow);
    if (json) terminal.print(JSON.stringify({ event: 'trace', ...view }));
    else traceLines(view, terminal.out).forEach(terminal.print);
    return ExitCode.fine;
  },
});

async function traceCapture(
  files: { readonly read: string; readonly write: string | undefined },
  { file, whom }: { readonly file: string | undefined; readonly whom: Whom },
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const { flowsIn, runCapture } = await import('../capture.ts');
  const flows = await flowsIn(files.read);
  const paths =
    file === undefined
      ? await askInstance(whom, (instance) => instance.snapshots(flows))
      : (await openFile(file)).snapshots();
  const summary = await runCapture(files, paths, (packet) => {
    terminal.print(json ? JSON.stringify({ event: 'packet', ...packet }) : packetLine(packet, terminal.out));
  });
  if (json) terminal.print(JSON.stringify({ event: 'capture', ...summary }));
  else captureSummaryLines(summary, files.write, terminal.out).forEach(terminal.print);
}

async function openFile(file: string) {
  const spec = await readConfigFile(file);
  const { openOffline } = await import('../../daemon/offline.ts');
  return openOffline(spec);
}
