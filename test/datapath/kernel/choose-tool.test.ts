import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseRuleTool } from '../../../lib/datapath/kernel/choose-tool.ts';
import { CommandError, type Run } from '../../../lib/datapath/kernel/command.ts';

/** A machine on which each program works, or complains, or is not there. */
function machine(programs: Readonly<Record<string, true | string>>): Run {
  return async (program) => {
    const state = programs[program];
    if (state === true) return '';
    throw new CommandError(program, state ?? 'not found', state === undefined);
  };
}

const noQueue = 'Could not process rule: No such file or directory (queue num 0)';

describe('the tool for rules', () => {
  for (const [name, programs, tool] of [
    ['nft, where its queue expression loads', { nft: true, 'iptables-restore': true }, 'nft'],
    ['iptables, where it does not', { nft: noQueue, 'iptables-restore': true }, 'iptables'],
    ['iptables, where there is no nft', { 'iptables-restore': true }, 'iptables'],
    [
      'the legacy iptables, where the kernel has no nf_tables',
      { nft: 'broken', 'iptables-restore': 'broken', 'iptables-legacy-restore': true },
      'iptables-legacy',
    ],
  ] as const) {
    it(`is ${name}`, async () => {
      assert.equal((await chooseRuleTool(machine(programs))).name, tool);
    });
  }

  it('need not have a queue where none is asked for', async () => {
    const asked: (string | undefined)[] = [];
    const run: Run = async (_program, _args, input) => {
      asked.push(input);
      return '';
    };
    assert.equal((await chooseRuleTool(run, { queues: false })).name, 'nft');
    assert.doesNotMatch(asked.join(), /queue/i);
  });

  it('has to be able to spread packets where there are several workers', async () => {
    const run: Run = async (program, _args, input) => {
      if (program === 'nft' && input?.includes('tproxy')) throw new CommandError(program, noQueue, false);
      return '';
    };
    assert.equal((await chooseRuleTool(run)).name, 'nft');
    assert.equal((await chooseRuleTool(run, { several: true })).name, 'iptables');
  });

  it('is missing where none is installed', async () => {
    await assert.rejects(chooseRuleTool(machine({})), {
      code: 'ERR_SLUICE_NO_RULE_TOOL',
      exitCode: 4,
      message: 'no tool can bring rules in: nft: not found; iptables-restore: not found',
      remedy: 'install one: apt-get install nftables, or dnf install nftables',
    });
  });

  it('is missing where the only one fails, and why is said', async () => {
    await assert.rejects(chooseRuleTool(machine({ nft: noQueue })), {
      exitCode: 4,
      message: `no tool can bring rules in: nft: ${noQueue}; iptables-restore: not found`,
      remedy: /^install the other/,
    });
  });
});
