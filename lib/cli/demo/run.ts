/** The demonstration: backends, a proxy before them and clients, all in this process and all real. */
import { instanceFromArguments } from '../../config/one-liner.ts';
import type { ExitCode } from '../../model/errors.ts';
import { type ForegroundFlags, runInForeground } from '../foreground.ts';
import type { InstanceFlags } from '../instance-flags.ts';
import type { Terminal } from '../terminal.ts';
import { startOrigin } from './origins.ts';
import { type Show, startShow } from './show.ts';

export type DemoFlags = ForegroundFlags & InstanceFlags & { readonly listen: string | undefined };

const originCount = 3;
/** Lines of the log that the screen shows. */
const logLength = 4;

/** Runs until it is stopped; the summary comes last. */
export async function runDemo(flags: DemoFlags, terminal: Terminal): Promise<ExitCode> {
  const origins = await Promise.all(Array.from({ length: originCount }, startOrigin));
  const redraws = terminal.canRedraw && !flags.noTui && !flags.json;
  const log: string[] = [];
  let show: Show | undefined;
  try {
    return await runInForeground({
      spec: instanceFromArguments({
        ...flags,
        name: flags.name ?? 'demo',
        listen: flags.listen ?? '127.0.0.1:0',
        backends: origins.map(({ address }) => address),
      }),
      flags,
      terminal,
      ...(redraws && {
        writeLog(line: string) {
          log.push(line);
          if (log.length > logLength) log.shift();
        },
      }),
      onReady: (instance) => {
        show = startShow({ instance, terminal, json: flags.json, log: redraws ? log : undefined });
      },
    });
  } finally {
    show?.end();
    for (const origin of origins) origin.close();
  }
}
