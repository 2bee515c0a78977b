/** The demonstration: backends, a proxy before them and clients, all in this process and all real. */
import { instanceFromArguments } from '../../config/one-liner.ts';
import type { Controllable } from '../../control/controllable.ts';
import type { ExitCode } from '../../model/errors.ts';
import { type ForegroundFlags, runInForeground, showsDashboard } from '../foreground.ts';
import type { InstanceFlags } from '../instance-flags.ts';
import type { Terminal } from '../terminal.ts';
import { startOrigin } from './origins.ts';
import { type Show, startShow } from './show.ts';

export type DemoFlags = ForegroundFlags & InstanceFlags & { readonly listen: string | undefined };

const originCount = 3;

/** Runs until it is stopped; the summary comes last. */
export async function runDemo(flags: DemoFlags, terminal: Terminal): Promise<ExitCode> {
  const origins = await Promise.all(Array.from({ length: originCount }, startOrigin));
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
      words: (instance) => ({ hint: hintFor(instance), asksBeforeStop: false }),
      onReady: (instance) => {
        show = startShow({
          instance,
          terminal,
          json: flags.json,
          isSilent: showsDashboard(flags, terminal),
        });
      },
    });
  } finally {
    show?.end();
    for (const origin of origins) origin.close();
  }
}

/** What to try, for whoever sees it for the first time. */
function hintFor(instance: Controllable): string {
  const url = instance.status().services[0]!.listen.replace('tcp:', 'http:');
  const backend = instance.backends()[0]!.name;
  return `From a shell:  curl ${url}  ·  sluice drain ${backend}`;
}
