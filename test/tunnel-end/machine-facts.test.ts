import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CommandError, type Run } from '../../lib/datapath/kernel/command.ts';
import { Journal } from '../../lib/datapath/kernel/journal.ts';
import { RecordedChanges } from '../../lib/datapath/kernel/recorded-changes.ts';
import { devicesFor } from '../../lib/tunnel-end/devices.ts';
import { learnMachine } from '../../lib/tunnel-end/machine-facts.ts';
import type { MachineFacts } from '../../lib/tunnel-end/plan.ts';
import { tunnelsOf } from '../../lib/tunnel-end/tunnels.ts';
import { scratch } from '../support/scratch.ts';
import { spec } from './machine.ts';

/** What ip(8) answers to its words, or complains of: others are well, and answered by nothing. */
type Answers = Readonly<Record<string, string | Error>>;

describe('what is found out about a machine', { skip: process.platform !== 'linux' && 'needs Linux' }, () => {
  const directory = scratch();
  after(() => directory.remove());

  async function learn(answers: Answers) {
    const asked: string[] = [];
    const run: Run = async (_program, args) => {
      const words = args.join(' ');
      asked.push(words);
      const answer = answers[words] ?? '';
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const journal = new Journal(directory.path, 'backend');
    const grip = { journal, changes: new RecordedChanges(journal, run) };
    const known = await learnMachine(spec(), grip, run, () => 7);
    return { known, asked, journal };
  }
  const makesGre = (known: MachineFacts): boolean =>
    tunnelsOf(spec()).every((tunnel) => devicesFor(tunnel)!.every((device) => known.canMake(device)));

  it('is whether the kernel can make a device, by making one and taking it away', async () => {
    const { known, asked, journal } = await learn({
      '-json route get 10.0.0.1': '[{"dev":"eth0"}]',
      '-json link show dev eth0': '[{"mtu":1500}]',
    });
    assert.equal(makesGre(known), true);
    assert.deepEqual(asked.slice(0, 2), ['link add sluice-gre type gre external', 'link delete sluice-gre']);
    assert.deepEqual(journal.changes, []);
  });

  it('is that it cannot, and a device of that name is left to whom it belongs', async () => {
    const taken = new CommandError('ip', 'RTNETLINK answers: File exists', false);
    const { known, asked, journal } = await learn({
      'link add sluice-gre type gre external': taken,
      '-json route get 10.0.0.1': '[{"dev":"eth0"}]',
      '-json link show dev eth0': '[{"mtu":1500}]',
    });
    assert.equal(makesGre(known), false);
    assert.ok(!asked.includes('link delete sluice-gre'));
    assert.deepEqual(journal.changes, []);
  });

  it('is an error where ip is missing', async () => {
    const missing = new CommandError('ip', 'not found', true);
    await assert.rejects(learn({ 'link add sluice-gre type gre external': missing }), missing);
  });

  it('is the MTU of the way to a source: the route’s own, or that of its link, or the usual one', async () => {
    const mtu = async (answers: Answers): Promise<number> => (await learn(answers)).known.mtuFrom('10.0.0.1');
    const route = '-json route get 10.0.0.1';
    const link = { '-json link show dev eth0': '[{"mtu":9000}]' };
    assert.equal(await mtu({ [route]: '[{"dev":"eth0","metrics":[{"mtu":1400}]}]', ...link }), 1_400);
    assert.equal(await mtu({ [route]: '[{"dev":"eth0","metrics":[]}]', ...link }), 9_000);
    const unreachable = new CommandError('ip', 'RTNETLINK answers: Network is unreachable', false);
    assert.equal(await mtu({ [route]: unreachable }), 1_500);
  });
});
