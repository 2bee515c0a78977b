/**
 * The machine made ready for a packet path, kept so while its services change, and put back: rules, settings, added
 * addresses. Rules come before addresses, so that no packet for a new VIP meets the kernel's own stack; the queues
 * have to be open before either.
 */
import { addAddress, addressChange, isLocal } from './addresses.ts';
import { chooseRuleTool } from './choose-tool.ts';
import { familyOf, type KernelDescription } from './description.ts';
import { type Grip, Hold, type HoldOptions } from './hold.ts';
import { changeKey } from './journal.ts';
import { localMoves, markedRouteChanges, moveLocal } from './marked-routes.ts';
import { queueRules } from './queue-rules.ts';
import type { RuleTool, RuleToolName } from './rule-tool.ts';
import { settingsFor } from './sysctls.ts';

/** One holder's setup. One call at a time: each has to settle before the next is made. */
export class KernelSetup {
  readonly #hold: Hold;
  #tool: RuleTool | undefined;

  constructor(options: HoldOptions) {
    this.#hold = new Hold({ ...options, replacesRules: true });
  }

  /** What has brought the rules in; undefined as long as there are none. */
  get tool(): RuleToolName | undefined {
    return this.#tool?.name;
  }

  /** Undoes what a crash has left, but for rules. Then it is seen what the machine has of its own accord. */
  clean(): Promise<void> {
    return this.#hold.clean();
  }

  /**
   * Undoes what a crash has left, then brings the description about, or leaves everything as it was. Rejects with a
   * SluiceError: exit code 4 if something is missing.
   */
  apply(description: KernelDescription): Promise<void> {
    return this.#hold.take(async (grip) => {
      this.#tool = await chooseRuleTool(this.#hold.surroundings.run, {
        several: description.rules.workers > 1,
      });
      await this.#bringAbout(description, this.#tool, grip);
    });
  }

  /** Brings another description about. Packets that both select come to a queue at every moment. */
  change(description: KernelDescription): Promise<void> {
    return this.#hold.change((grip) => this.#bringAbout(description, this.#tool!, grip));
  }

  /** Puts everything back, but for what another instance relies on: the last of them does that. Idempotent. */
  undo(): Promise<void> {
    return this.#hold.release();
  }

  async #bringAbout(
    description: KernelDescription,
    tool: RuleTool,
    { journal, changes }: Grip,
  ): Promise<void> {
    const { holder, surroundings } = this.#hold;
    const { rules, addedAddresses, markedRoutes, marksFirst } = description;
    const settings = await neededSettings(description);
    const ways = markedRoutes.flatMap(markedRouteChanges);
    const wanted = [...addedAddresses.map(addressChange), ...marksFirst.flatMap(localMoves), ...ways];
    const keys = wanted.map(changeKey);
    journal.relyOn([...settings.map(({ path }) => path), ...keys]);
    for (const { path, current, wanted } of settings) if (current !== wanted) changes.set(path, wanted);
    for (const family of marksFirst) await moveLocal(family, changes, surroundings.run);
    const known = new Set(journal.changes.map(changeKey));
    for (const way of ways) if (!known.has(changeKey(way))) await changes.add(way);
    await changes.rule(tool, holder, queueRules(holder, rules));
    for (const change of journal.changes.toReversed()) {
      if (change.kind === 'ip' && !keys.includes(changeKey(change))) await changes.takeBack(change);
    }
    for (const address of addedAddresses) {
      await addAddress(address, changes, surroundings.run, surroundings.log);
    }
  }
}

async function neededSettings({
  sources,
  interfaces,
  addedAddresses,
}: KernelDescription): Promise<ReturnType<typeof settingsFor>> {
  const families = new Set(sources.map(familyOf));
  const candidates = [...new Set(sources)].filter((address) => familyOf(address) === 4);
  const added = new Set(addedAddresses.map(({ address }) => address));
  const localSource = (
    await Promise.all(candidates.map(async (address) => added.has(address) || (await isLocal(address))))
  ).includes(true);
  return settingsFor({ interfaces, families, localSource });
}
