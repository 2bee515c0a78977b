import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headroom } from '../../lib/packet/encapsulate.ts';
import { describePacket, describeTunnel } from '../../lib/trace/packet-text.ts';
import { craft } from '../packet/craft.ts';
import { outerHeader } from '../packet/tunnels.ts';

const inner = craft({
  source: '2001:db8::7',
  destination: '2001:db8::10',
  sourcePort: 40_000,
  destinationPort: 80,
});

/** The packet as it leaves for a backend behind a tunnel. */
function tunnelled(encapsulation: number): Uint8Array {
  const bytes = new Uint8Array(headroom + inner.length);
  bytes.set(inner, headroom);
  const outer = outerHeader(encapsulation, { source: '10.0.0.1', destination: '10.0.0.2' });
  return bytes.slice(outer.write(new DataView(bytes.buffer), headroom, inner.length));
}

describe('a packet in words', () => {
  it('has two ends, with ports where there are ports', () => {
    const { source, destination, bytes } = describePacket(inner);
    assert.deepEqual([source, destination], ['[2001:db8::7]:40000', '[2001:db8::10]:80']);
    assert.equal(bytes, Buffer.from(inner).toString('hex'));
    const ping = describePacket(craft({ source: '192.0.2.1', destination: '192.0.2.2', protocol: 'icmp' }));
    assert.deepEqual([ping.source, ping.destination], ['192.0.2.1', '192.0.2.2']);
  });

  it('has no ends if it is no packet', () => {
    assert.deepEqual(describePacket(Uint8Array.of(1)), { source: '', destination: '', bytes: '01' });
  });

  it('in a tunnel is the packet inside, and the tunnel', () => {
    for (const [encapsulation, kind] of [
      [1, 'gre'],
      [2, 'ipip'],
    ] as const) {
      const packet = tunnelled(encapsulation);
      assert.equal(describePacket(packet).source, '[2001:db8::7]:40000');
      assert.deepEqual(describeTunnel(packet), { kind, source: '10.0.0.1', destination: '10.0.0.2' });
    }
    assert.equal(describeTunnel(inner), null);
  });
});
