/**
 * The end of a balancer's tunnels on this machine: found out, planned, brought about, and put back. Rules come first and
 * VIPs last, so that nothing reaches a VIP by a way that is not closed to strangers.
 */

import { findFreeQueues } from '../datapath/free-queues.ts';
import { addAddress, addressChange } from '../datapath/kernel/addresses.ts';
import { chooseRuleTool } from '../datapath/kernel/choose-tool.ts';
import { type Grip, Hold, type HoldOptions } from '../datapath/kernel/hold.ts';
import { changeKey } from '../datapath/kernel/journal.ts';
import type { RuleToolName } from '../datapath/kernel/rule-tool.ts';
import { readSetting, writeSetting } from '../datapath/kernel/sysctls.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { Decapsulation, type DecapsulationCounts } from './decapsulation.ts';
import { furnishing } from './devices.ts';
import { learnMachine, linkChange } from './machine-facts.ts';
import { crossesFamilies, planTunnelEnd, saysAnything, type TunnelEndPlan } from './plan.ts';
import { type DropCounts, readDropCounts } from './rules/drop-counts.ts';
import { tunnelRules } from './rules/script.ts';
import type { Family } from './tunnels.ts';

/** Packets that the rules dropped, and what became of those that this process takes in, if it takes in any. */
export interface TunnelEndCounts extends DropCounts {
  readonly own?: DecapsulationCounts;
}

const noDrops: DropCounts = { strangers: 0, notForVip: 0 };

export class TunnelEnd {
  readonly #spec: TunnelEndSpec;
  readonly #hold: Hold;
  #plan: TunnelEndPlan | undefined;
  #decapsulation: Decapsulation | undefined;
  #tool: RuleToolName | undefined;

  constructor(spec: TunnelEndSpec, options: Omit<HoldOptions, 'holder'>) {
    this.#spec = spec;
    this.#hold = new Hold({ ...options, holder: spec.name });
  }

  /**
   * Brings the plan about, or leaves everything as it was. Rejects with a SluiceError: exit code 4 if the machine lacks
   * something.
   */
  start(): Promise<void> {
    return this.#hold
      .take(async (grip) => {
        const facts = await learnMachine(this.#spec, grip, this.#hold.surroundings.run, () =>
          findFreeQueues(1),
        );
        this.#plan = planTunnelEnd(this.#spec, facts);
        await this.#bringAbout(this.#plan, grip);
      })
      .catch((error: unknown) => {
        this.#decapsulation?.close();
        throw error;
      });
  }

  /** What was done; undefined before `start` has. */
  get plan(): TunnelEndPlan | undefined {
    return this.#plan;
  }

  /**
   * Takes in the tunnels that this process has to take in itself. Resolves when there are none, or it was stopped;
   * rejects if it can take in no more.
   */
  async serve(): Promise<void> {
    await this.#decapsulation?.run();
  }

  /** What became of packets so far, as far as it is counted. */
  async counts(): Promise<TunnelEndCounts> {
    const { run } = this.#hold.surroundings;
    const byRules =
      this.#tool === undefined ? noDrops : await readDropCounts(this.#tool, this.#spec.name, run);
    const own = this.#decapsulation?.counts();
    return { ...byRules, ...(own === undefined ? {} : { own }) };
  }

  /** Puts everything back. Idempotent. */
  async stop(): Promise<void> {
    await this.#hold.release();
    this.#decapsulation?.close();
  }

  async #bringAbout(plan: TunnelEndPlan, { journal, changes }: Grip): Promise<void> {
    const { run, log } = this.#hold.surroundings;
    const { rules, devices, settings, addresses } = plan;
    const links = devices.map(linkChange);
    const relied = [...links, ...addresses.map(addressChange)].map(changeKey);
    journal.relyOn([...settings.map(({ path }) => path), ...relied]);
    journal.describe(this.#spec);
    if (rules.queue !== undefined) {
      const { vips } = this.#spec;
      this.#decapsulation = new Decapsulation({
        queue: rules.queue,
        vips,
        deviceOptional: !crossesFamilies(plan),
      });
    }
    if (saysAnything(rules)) {
      const tool = await chooseRuleTool(run, { queues: rules.queue !== undefined });
      await changes.rule(tool, this.#spec.name, tunnelRules(this.#spec.name, rules));
      this.#tool = tool.name;
    }
    for (const { path, current, wanted } of settings) if (current !== wanted) changes.set(path, wanted);
    for (const link of links) await changes.add(link);
    for (const { name, inner } of devices) await this.#furnish(name, inner);
    const own = this.#decapsulation?.device;
    if (own !== undefined) await this.#furnish(own, [...new Set(plan.own.flatMap(({ inner }) => inner))]);
    for (const address of addresses) await addAddress(address, changes, run, log);
  }

  /** Nothing of this is put back by itself: it goes with the device. */
  async #furnish(name: string, inner: readonly Family[]): Promise<void> {
    const { run } = this.#hold.surroundings;
    const { address, settings } = furnishing(name, inner);
    for (const { path, wanted } of settings) {
      // Kernels without IPv6 have no settings for it.
      if (readSetting(path) !== undefined) writeSetting(path, wanted);
    }
    if (address !== undefined) await run('ip', ['address', 'add', ...address, 'dev', name]);
    await run('ip', ['link', 'set', name, 'up']);
  }
}
