import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { captureSummaryLines, packetLine } from '../../lib/cli/capture-text.ts';
import { plainStyle } from '../../lib/cli/style.ts';
import type { CapturedPacket } from '../../lib/trace/capture.ts';

const forwarded: CapturedPacket = {
  number: 1,
  timeMs: 1_200.031,
  protocol: 'tcp',
  source: '198.51.100.7:40000',
  destination: '192.0.2.10:80',
  verdict: 'rewritten',
  reason: 'forwarded',
  after: { source: '10.0.2.1:61000', destination: '10.0.2.12:8080' },
};

const line = (change: Partial<CapturedPacket>): string => packetLine({ ...forwarded, ...change }, plainStyle);

describe('the line of a captured packet', () => {
  it('says where it goes', () => {
    const text = line({});
    assert.equal(text, '    1   1.200031  tcp 198.51.100.7:40000 → 192.0.2.10:80  ⇒ 10.0.2.12:8080');
    assert.ok(text.length <= 80);
  });

  it('says what else becomes of it, and why', () => {
    const end = (change: Partial<CapturedPacket>) =>
      line({ after: null, ...change })
        .split('  ')
        .at(-1);
    assert.equal(end({ verdict: 'drop', reason: 'no-flow' }), '✗ no-flow');
    assert.equal(end({ verdict: 'accept', reason: 'not-ours' }), '= not-ours');
    assert.equal(end({ verdict: 'hold', reason: 'held' }), '… held');
    const { after } = forwarded;
    assert.equal(end({ reason: 'reset-sent', after }), '⇒ 10.0.2.12:8080 (reset-sent)');
  });

  it('knows what is no IP packet', () => {
    const text = line({
      protocol: null,
      source: '',
      destination: '',
      verdict: 'accept',
      reason: 'not-ours',
      after: null,
    });
    assert.equal(text, '    1   1.200031  not an IP packet  = not-ours');
  });
});

describe('what a capture comes to', () => {
  it('counts by reason, the most frequent first', () => {
    const summary = { packets: 1_204, written: 1_200, reasons: { 'no-flow': 4, forwarded: 1_200 } };
    assert.deepEqual(captureSummaryLines(summary, 'out.pcap', plainStyle), [
      '',
      '1,204 packets: 1,200 forwarded, 4 no-flow',
      '1,200 packets written to out.pcap',
    ]);
  });

  it('is short where there was nothing', () => {
    const summary = { packets: 0, written: 0, reasons: {} };
    assert.deepEqual(captureSummaryLines(summary, undefined, plainStyle), ['', '0 packets']);
  });
});
