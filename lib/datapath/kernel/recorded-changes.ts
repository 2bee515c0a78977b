/** Changes of the machine, each written down in the journal before it is made, and how each is unmade. */

import type { Run } from './command.ts';
import type { Change, IpChange, Journal } from './journal.ts';
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

  /** Adds what has not been there. */
  async add(change: IpChange): Promise<void> {
    this.#journal.record(change);
    await this.#run('ip', [change.object, 'add', ...change.spec, ...(change.options ?? [])]);
  }

  /** Puts rules in place of those that the holder has. */
  async rule(tool: RuleTool, holder: string, script: RuleScript): Promise<void> {
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
      return deleteFrom(change, run);
    case 'rules':
      return ruleTool(change.tool, run).remove(change.holder);
  }
}

/** That it is gone already, or its whole interface is, is as good. */
async function deleteFrom({ object, spec }: IpChange, run: Run): Promise<void> {
  try {
    await run('ip', [object, 'delete', ...spec]);
  } catch (error) {
    const gone = /Cannot assign requested address|Cannot find device|No such process|address not found/i;
    if (!(error instanceof Error && gone.test(error.message))) throw error;
  }
}
