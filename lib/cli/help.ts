/** The head of every help text: what it is and lines to copy, before the list of flags that yargs makes. */
import type { Command } from './command.ts';

const leadingExamples = [
  ['sluice demo', 'see it work: backends, a proxy and traffic, all in one process'],
  ['sluice proxy :8080 10.0.0.1:80 10.0.0.2:80', 'spread TCP connections over two backends'],
  ['sluice proxy udp://:53 10.0.0.1:53 10.0.0.2:53=3', 'UDP, the second backend three times as much'],
  [
    'sluice proxy :443 10.0.0.1:443 10.0.0.2:443 --check http:/health',
    'leave out backends that are not well',
  ],
  ['sluice nat :8080 10.0.0.1:80 10.0.0.2:80', 'rewrite packets, and end no connection (root)'],
  [
    'sluice dsr 192.0.2.10:80 10.0.0.1 10.0.0.2',
    'tunnel requests to backends that answer clients themselves (root)',
  ],
  ['sluice backend 192.0.2.10 --from 10.0.0.254', 'be such a backend, of the balancer 10.0.0.254 (root)'],
  ['sluice up -f edge.yaml', 'run everything in a configuration file'],
  ['sluice backends', 'ask the running instance how its backends are'],
] as const;

/** For `sluice --help`. */
export function programHead(): string {
  return head('A layer-4 load balancer in one command.', leadingExamples);
}

/** For `sluice COMMAND --help`. */
export function commandHead({ summary, examples }: Command): string {
  return head(`${summary}.`, examples);
}

function head(title: string, examples: Command['examples']): string {
  return [title, ...examples.map(([line, effect]) => `  # ${effect}\n  ${line}`)].join('\n\n');
}
