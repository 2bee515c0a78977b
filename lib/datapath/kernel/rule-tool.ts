/** The tools that bring rules into the kernel, behind one face: nft, and iptables in either of its kinds. */
import type { Run } from './command.ts';
import type { RulesDescription } from './description.ts';
import { restoreScript } from './iptables-restore.ts';
import { iptablesRules, marksClients, type TableRules } from './iptables-rules.ts';
import { nftRemoval, nftRules } from './nft-rules.ts';
import { rulePrefix } from './rule-names.ts';

export const ruleToolNames = ['nft', 'iptables', 'iptables-legacy'] as const;

export type RuleToolName = (typeof ruleToolNames)[number];

/** Both methods may be called again, and reject with `CommandError`. */
export interface RuleTool {
  readonly name: RuleToolName;
  /** Puts the rules of a description in place of those that the holder has. */
  apply(holder: string, description: RulesDescription): Promise<void>;
  /** Takes away whatever the holder has. */
  remove(holder: string): Promise<void>;
}

export function ruleTool(name: RuleToolName, run: Run): RuleTool {
  return name === 'nft' ? nftTool(run) : iptablesTool(name, run);
}

function nftTool(run: Run): RuleTool {
  return {
    name: 'nft',
    async apply(holder, description) {
      await run('nft', ['-f', '-'], nftRules(holder, description));
    },
    async remove(holder) {
      await run('nft', ['-f', '-'], nftRemoval(holder));
    },
  };
}

/**
 * One transaction for each table and family: atomic, but not all of them together. The mangle table is looked at only
 * where the raw one says that it holds something, because iptables makes every table that it looks at.
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
    if (marksClients(prefix, raw)) {
      await restore(family, restoreScript(prefix, 'mangle', await save(family, 'mangle'), undefined));
    }
    await restore(family, restoreScript(prefix, 'raw', raw, undefined));
  };

  return {
    name,
    async apply(holder, description) {
      for (const family of [4, 6] as const) {
        const tables = iptablesRules(holder, description, family);
        for (const wanted of tables) await apply(family, rulePrefix(holder), wanted);
        if (tables.length === 0) await remove(family, rulePrefix(holder));
      }
    },
    async remove(holder) {
      for (const family of [4, 6] as const) await remove(family, rulePrefix(holder));
    },
  };
}
