/** Changes of the machine, each written down in the journal before it is made, and how each is unmade. */

import type { Run } from './command.ts';
import { type Change, familyFlag, type IpChange, type Journal } from './journal.ts';
import { type RuleScript, type RuleTool, ruleTool } from './rule-tool.ts';
import { readSetting, writeSetting } from './sysctls.ts';

export class RecordedChanges {
  readonly #journal: Journal;
  readonly #run: Run;

  constructor(journal: Journal, run: Run) {
    this.#journal = journal;
    this.#run = run;
  }

  /** Writes a setting of the kernel. */
  set(path: string, value: string): Change {
    const change: Change = { kind: 'sysctl', path, before: readSetting(path) ?? '', after: value };
    this.#journal.record(change);
    writeSetting(path, value);
    return change;
  }

  /** Adds what has not been there, or removes what has. */
  async add(change: IpChange): Promise<void> {
    this.#journal.record(change);
    await alter(change, change.removed !== true, this.#run);
  }

  /** Puts rules in place of those that the holder has, also by another tool before a crash. */
  async rule(tool: RuleTool, holder: string, script: RuleScript): Promise<void> {
    for (const change of this.#journal.changes) {
      if (change.kind === 'rules' && change.tool !== tool.name) await this.takeBack(change);
    }
    this.#journal.record({ kind: 'rules', holder, tool: tool.name });
    await tool.apply(holder, script);
  }

  async takeBack(change: Change): Promise<void> {
    await undoChange(change, this.#run);
    this.#journal.forget(change);
  }
}

/** May be called again. A setting that someone else has changed since is left alone. */
export async function undoChange(change: Change, run: Run): Promise<void> {
  switch (change.kind) {
    case 'sysctl':
      if (readSetting(change.path) === change.after) writeSetting(change.path, change.before);
      return;
    case 'ip':
      return alter(change, change.removed === true, run);
    case 'rules':
      return ruleTool(change.tool, run).remove(change.holder);
  }
}

/** What ip(8) says where there is nothing to delete, be it that a whole interface is gone; or nothing to add. */
const gone =
  /Cannot assign requested address|Cannot find device|No such process|No such file|address not found/i;
const there = /File exists/;

/** Adds something or deletes it; to delete what is gone, or add anew what was never deleted, is as good. */
async function alter(change: IpChange, add: boolean, run: Run): Promise<void> {
  const { object, spec, options = [], removed = false } = change;
  const flag = familyFlag(change);
  const args = [...(flag === undefined ? [] : [flag]), object, add ? 'add' : 'delete', ...spec];
  try {
    await run('ip', add ? [...args, ...options] : args);
  } catch (error) {
    const asGood = !add ? gone : removed ? there : undefined;
    if (!(error instanceof Error && asGood?.test(error.message))) throw error;
  }
}
