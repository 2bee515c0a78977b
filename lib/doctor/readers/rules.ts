/** The packet filter of this machine: everyone's rules as chains, and what is there under sluice's own names. */
import { partPattern, prefixOf } from '../../datapath/kernel/rule-names.ts';
import type { Machine } from '../machine.ts';
import { type Program, readIptables } from '../rules/iptables-save.ts';
import { readNft, tableNames } from '../rules/nft-list.ts';
import type { BaseChain } from '../rules/rule.ts';

export interface RuleFacts {
  /** Rules of other programs. In a chain that leads to ours those that come after are left out. */
  readonly chains: readonly BaseChain[];
  /** Each name of a table or of a group of chains that an instance has, or has had, with the command that clears it. */
  readonly ours: ReadonlyMap<string, string>;
}

/** Undefined where this process may not look. */
export async function readRules(machine: Machine): Promise<RuleFacts | undefined> {
  const saves = await readSaves(machine);
  const listed = await machine.run('nft', ['--json', 'list', 'ruleset']).catch(() => undefined);
  if (saves.length === 0 && listed === undefined) return undefined;
  const isSaved = (family: string, table: string): boolean =>
    saves.some(
      ({ program, text }) =>
        !program.includes('legacy') &&
        family === (program.startsWith('ip6') ? 'ip6' : 'ip') &&
        text.includes(`\n*${table}\n`),
    );
  const chains = [
    ...saves.flatMap(({ program, text }) => readIptables(text, program)),
    ...(listed === undefined
      ? []
      : readNft(listed, (family, table) => isOurs(table) || isSaved(family, table))),
  ];
  const tables = listed === undefined ? [] : tableNames(listed).filter(isOurs);
  return {
    chains: chains.map(beforeOurs),
    ours: new Map([
      ...saves.flatMap(({ program, text }) => ourChains(program, text)),
      ...tables.map((table) => [table, `nft delete table inet ${table}`] as const),
    ]),
  };
}

interface Save {
  readonly program: Program;
  readonly text: string;
}

/** What each of the programs shows; the legacy ones are asked only where they are others. */
async function readSaves({ run }: Machine): Promise<readonly Save[]> {
  const saves: Save[] = [];
  for (const program of ['iptables', 'ip6tables'] as const) {
    const text = await run(`${program}-save`, []).catch(() => undefined);
    if (text !== undefined) saves.push({ program, text: `\n${text}` });
    if (text?.includes('(legacy)')) continue;
    const legacy = `${program}-legacy` as const;
    const older = await run(`${legacy}-save`, []).catch(() => undefined);
    if (older !== undefined) saves.push({ program: legacy, text: `\n${older}` });
  }
  return saves;
}

function isOurs(name: string): boolean {
  return name.startsWith('sluice-');
}

/** Packets for us do not come to the rules behind the one that leads to ours. */
function beforeOurs(chain: BaseChain): BaseChain {
  const at = chain.rules.findIndex(({ action }) => 'chain' in action && isOurs(action.chain));
  return at < 0 ? chain : { ...chain, rules: chain.rules.slice(0, at) };
}

/** What one holder has in one program; see rule-names.ts. */
function ourChains(program: Program, text: string): (readonly [string, string])[] {
  const names = new Set(Array.from(text.matchAll(/^:(sluice-\S+)/gm), ([, name]) => prefixOf(name!)));
  return [...names].map((name) => {
    const pattern = `${name.replaceAll('.', '\\.')}(${partPattern})?( |$)`;
    return [name, `${program}-save -c | grep -vE '${pattern}' | ${program}-restore -c`];
  });
}
