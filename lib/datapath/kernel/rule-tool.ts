/** The tools that bring rules into the kernel, behind one face: nft, and iptables in either of its kinds. */
import type { Run } from './command.ts';
import type { RulesDescription } from './description.ts';
import { restoreScript } from './iptables-restore.ts';
import { iptablesRules, type TableRules } from './iptables-rules.ts';
import { nftRemoval, nftRules } from './nft-rules.ts';
import { rulePrefix } from './rule-names.ts';

export const ruleToolNames = ['nft', 'iptables', 'iptables-legacy'] as const;

export type RuleToolName = (typeof ruleToolNames)[number];

/** Both methods may be called again, and reject with `CommandError`. */
export interface RuleTool {
  readonly name: RuleToolName;
  /** Puts the rules of a description in place of those that the instance has. */
  apply(instance: string, description: RulesDescription): Promise<void>;
  /** Takes away whatever the instance has. */
  remove(instance: string): Promise<void>;
}

export function ruleTool(name: RuleToolName, run: Run): RuleTool {
  return name === 'nft' ? nftTool(run) : iptablesTool(name, run);
}

function nftTool(run: Run): RuleTool {
  return {
    name: 'nft',
    async apply(instance, description) {
      await run('nft', ['-f', '-'], nftRules(instance, description));
    },
    async remove(instance) {
      await run('nft', ['-f', '-'], nftRemoval(instance));
    },
  };
}

/** One transaction for each table and family: atomic, but not all of them together. */
function iptablesTool(name: 'iptables' | 'iptables-legacy', run: Run): RuleTool {
  const programs = { 4: name, 6: name.replace('ip', 'ip6') } as const;

  const change = async (
    family: 4 | 6,
    prefix: string,
    table: TableRules['table'],
    wanted: TableRules | undefined,
  ): Promise<void> => {
    const program = programs[family];
    const saved = await run(`${program}-save`, ['-t', table]).catch((error: unknown) => {
      if (wanted !== undefined) throw error;
      // A family that cannot even be listed has nothing of ours.
      return '';
    });
    const script = restoreScript(prefix, table, saved, wanted);
    if (script !== '') await run(`${program}-restore`, ['-w', '5', '--noflush'], script);
  };

  return {
    name,
    async apply(instance, description) {
      for (const family of [4, 6] as const) {
        const wanted = iptablesRules(instance, description, family);
        // Of a family without a service nothing may be left. Marks are taken off (mangle) before they are set (raw).
        const raw = wanted.find(({ table }) => table === 'raw');
        const mangle = wanted.find(({ table }) => table === 'mangle');
        if (mangle !== undefined) await change(family, rulePrefix(instance), 'mangle', mangle);
        await change(family, rulePrefix(instance), 'raw', raw);
      }
    },
    async remove(instance) {
      for (const family of [4, 6] as const) {
        await change(family, rulePrefix(instance), 'raw', undefined);
        await change(family, rulePrefix(instance), 'mangle', undefined);
      }
    },
  };
}
