/**
 * How many packets each worker's queue was sent, from the counters of the rules themselves: nobody has to read the
 * queues. Kernels without nft's `queue` expression have it stand-in here: count, and drop as an unread queue does.
 */
import { execFileSync } from 'node:child_process';
import { commandRunner, type Run } from '../../../../lib/datapath/kernel/command.ts';
import { type RuleTool, type RuleToolName, ruleTool } from '../../../../lib/datapath/kernel/rule-tool.ts';

export function countingTool(name: RuleToolName, directory: string): RuleTool {
  const run = commandRunner(directory);
  const standIn: Run = (program, args, input) =>
    run(program, args, input?.replaceAll(/queue num \d+( bypass)?/g, 'counter drop'));
  return ruleTool(name, name === 'nft' ? standIn : run);
}

/** Packets by worker since the rules came, IPv4 and IPv6 together. */
export function queued(name: RuleToolName, prefix: string, workers: number): number[] {
  const counts = new Array<number>(workers).fill(0);
  const found = name === 'nft' ? countersOfNft(prefix) : countersOfIptables(name, prefix);
  for (const [worker, packets] of found) counts[worker]! += packets;
  return counts;
}

function countersOfNft(prefix: string): [number, number][] {
  const listing = output('nft', ['list', 'table', 'inet', prefix]);
  return Array.from(
    listing.matchAll(/chain worker-(\d+) \{\s*notrack\s*counter packets (\d+)/g),
    ([, worker, packets]) => [Number(worker), Number(packets)],
  );
}

function countersOfIptables(name: string, prefix: string): [number, number][] {
  return [name, name.replace('ip', 'ip6')].flatMap((program) =>
    output(`${program}-save`, ['-c', '-t', 'raw'])
      .split('\n')
      .flatMap((line): [number, number][] => {
        const [, packets, chain] = /^\[(\d+):\d+\] -A (\S+) -j CT --notrack$/.exec(line) ?? [];
        return chain?.startsWith(`${prefix}/`)
          ? [[Number(chain.slice(prefix.length + 1)), Number(packets)]]
          : [];
      }),
  );
}

function output(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
