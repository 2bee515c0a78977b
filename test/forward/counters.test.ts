import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { completeChecksum, outputHook, ownPacket, PacketFlag, Verdict } from '../../lib/forward/batch.ts';
import { Traffic } from '../../lib/forward/counters.ts';
import { isLoss, Reason, reasonNames, verdictOfReason } from '../../lib/forward/reasons.ts';
import * as binding from '../../lib/node-netfilter-queue/lib/constants.ts';
import { craft } from '../packet/craft.ts';
import { Balancer, endpoints, families } from './balancer.ts';

describe('the table of reasons', () => {
  it('has a number for each name, in the same order', () => {
    const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const [name, number] of Object.entries(Reason)) assert.equal(reasonNames[number], kebab(name));
    assert.equal(new Set(reasonNames).size, reasonNames.length);
    assert.equal(reasonNames.length - Object.keys(Reason).length, Reason.forwarded);
  });

  it('drops for every reason that is not named otherwise', () => {
    const others = reasonNames.filter((_, reason) => verdictOfReason[reason] !== Verdict.drop);
    assert.deepEqual(others, [
      'forwarded',
      'not-ours',
      'echo-answered',
      'reset-sent',
      'held',
      'delivered',
      'unreachable-sent',
      'marked',
      'too-big-sent',
      'time-exceeded-sent',
      'error-sent',
    ]);
  });

  it('knows which packets went nowhere, by whatever verdict', () => {
    const arrived = reasonNames.filter((_, reason) => !isLoss(reason));
    assert.deepEqual(arrived, [
      'forwarded',
      'not-ours',
      'echo-answered',
      'held',
      'delivered',
      'sent-apart',
      'marked',
      'error-sent',
    ]);
  });
});

describe('a batch', () => {
  it('speaks the language of node-netfilter-queue', () => {
    assert.equal(Verdict.drop, binding.Verdict.drop);
    assert.equal(Verdict.accept, binding.Verdict.accept);
    assert.equal(Verdict.rewritten, binding.Verdict.accept | binding.VerdictFlag.rewritten);
    assert.equal(completeChecksum, binding.VerdictFlag.checksum);
    assert.equal(outputHook, binding.Hook.output);
    assert.equal(Object.values(binding.PacketFlag).reduce((all, flag) => all | flag, 0) & ownPacket, 0);
    assert.deepEqual(PacketFlag, {
      checksumNotReady: binding.PacketFlag.checksumNotReady,
      gso: binding.PacketFlag.gso,
      truncated: binding.PacketFlag.truncated,
    });
  });
});

for (const family of families) {
  describe(`counters over IPv${family.version}`, () => {
    it('tell what went where, and why what did not', () => {
      const balancer = new Balancer();
      const { client, vip, snat, backend, firstVip } = family;
      const ends = { source: client, destination: vip, sourcePort: 40_000, destinationPort: 80 };
      const request = craft({ ...ends, flags: 'S', payload: 'hello' });
      const answer = craft({
        source: backend,
        destination: snat,
        sourcePort: 9000,
        destinationPort: 2000,
        flags: 'SA',
      });
      for (const packet of [request, request, answer])
        assert.equal(balancer.send(packet).reason, 'forwarded');
      balancer.send(craft({ ...ends, sourcePort: 1, flags: 'A' }));
      balancer.send(craft({ ...ends, destinationPort: 8080 }));

      const { counters } = balancer;
      const { opened, packets, bytes } = Traffic;
      const expected = [1, 2, 1, 2 * request.length, answer.length];
      for (const [of, number] of [
        ['vip', firstVip],
        ['endpoint', family.endpoint],
      ] as const) {
        const row = [opened, packets, packets + 1, bytes, bytes + 1].map((at) =>
          counters.traffic(of, number, at),
        );
        assert.deepEqual(row, expected);
      }
      assert.equal(counters.reason(firstVip, Reason.forwarded), 3);
      assert.equal(counters.reason(firstVip, Reason.noFlow), 1);
      assert.equal(counters.reason(0, Reason.notOurs), 1);
      assert.equal(counters.reasonOverall(Reason.forwarded), 3);
      assert.equal(counters.traffic('endpoint', endpoints.b4, opened), 0);
    });
  });
}
