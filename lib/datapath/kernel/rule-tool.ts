/** The tools that bring rules into the kernel, behind one face: nft, and iptables in either of its kinds. */
import type { Run } from './command.ts';
import { restoreScript, type TableRules } from './iptables-restore.ts';
import { nftRemoval } from './nft-rules.ts';
import { rulePrefix } from './rule-names.ts';

export const ruleToolNames = ['nft', 'iptables', 'iptables-legacy'] as const;

export type RuleToolName = (typeof ruleToolNames)[number];

/** The rules of one holder, in the language of each tool. */
export interface RuleScript {
  /** Replaces whatever the holder had. */
  readonly nft: string;
  /** By family; none for one that has nothing to rule. */
  readonly iptables: Readonly<Record<4 | 6, readonly TableRules[]>>;
}

/** Both methods may be called again, and reject with `CommandError`. */
export interface RuleTool {
  readonly name: RuleToolName;
  /** Puts rules in place of those that the holder has. */
  apply(holder: string, script: RuleScript): Promise<void>;
  /** Takes away whatever the holder has. */
  remove(holder: string): Promise<void>;
}

export function ruleTool(name: RuleToolName, run: Run): RuleTool {
  return name === 'nft' ? nftTool(run) : iptablesTool(name, run);
}

function nftTool(run: Run): RuleTool {
  return {
    name: 'nft',
    async apply(_, { nft }) {
      await run('nft', ['-f', '-'], nft);
    },
    async remove(holder) {
      await run('nft', ['-f', '-'], nftRemoval(holder));
    },
  };
}

/**
 * One transaction for each table and family: atomic, but not all of them together. Because iptables makes every table
 * that it looks at, the mangle table is looked at only where there is a witness in the raw one, an empty chain.
 */
function iptablesTool(name: 'iptables' | 'iptables-legacy', run: Run): RuleTool {
  const programs = { 4: name, 6: name.replace('ip', 'ip6') } as const;

  const save = (family: 4 | 6, table: TableRules['table']): Promise<string> =>
    run(`${programs[family]}-save`, ['-t', table]);

  const restore = async (family: 4 | 6, script: string): Promise<void> => {
    if (script !== '') await run(`${programs[family]}-restore`, ['-w', '5', '--noflush'], script);
  };

  const apply = async (family: 4 | 6, prefix: string, wanted: TableRules): Promise<void> => {
    const { table } = wanted;
    await restore(family, restoreScript(prefix, table, await save(family, table), wanted));
  };

  const remove = async (family: 4 | 6, prefix: string): Promise<void> => {
    // A family that cannot even be listed has nothing of ours.
    const raw = await save(family, 'raw').catch(() => '');
    if (raw.includes(`\n:${prefix}/${witness} `)) {
      await restore(family, restoreScript(prefix, 'mangle', await save(family, 'mangle'), undefined));
    }
    await restore(family, restoreScript(prefix, 'raw', raw, undefined));
  };

  return {
    name,
    async apply(holder, { iptables }) {
      const prefix = rulePrefix(holder);
      for (const family of [4, 6] as const) {
        const tables = withWitness(prefix, iptables[family]);
        for (const wanted of tables) await apply(family, prefix, wanted);
        if (tables.length === 0) await remove(family, prefix);
      }
    },
    async remove(holder) {
      for (const family of [4, 6] as const) await remove(family, rulePrefix(holder));
    },
  };
}

const witness = 'mangle';

/** The raw table first, with the witness if there is another. */
function withWitness(prefix: string, tables: readonly TableRules[]): readonly TableRules[] {
  const mangle = tables.filter(({ table }) => table === 'mangle');
  if (mangle.length === 0) return tables;
  const [raw = { table: 'raw', jumps: [], chains: [], rules: [] } as const] = tables.filter(
    ({ table }) => table === 'raw',
  );
  return [{ ...raw, chains: [...raw.chains, `${prefix}/${witness}`] }, ...mangle];
}
