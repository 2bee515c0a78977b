import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PacketBatch, PacketFlag, Verdict } from '../../lib/forward/batch.ts';
import { Decapsulator, decapsulationReasons } from '../../lib/forward/decapsulator.ts';
import { type Craft, craft } from '../packet/craft.ts';
import { greWrap, type Outer, wrap } from '../packet/tunnels.ts';

const batchSize = 8;
const room = 2_048;
const margin = 64;

const outer4: Outer = { source: '10.0.1.2', destination: '10.0.2.11', protocol: 47 };
const outer6: Outer = { source: 'fd00:1::2', destination: 'fd00:2::11', protocol: 47 };
const inner4: Craft = { source: '198.51.100.7', destination: '1.2.3.4', payload: 'four' };
const inner6: Craft = { source: '2001:db8::7', destination: '2001:db8:1::4', payload: 'six' };

/** One packet's fate: the reason, what the kernel goes on with, and what arrives by the device. */
interface Fate {
  readonly reason: string;
  readonly verdict: Uint8Array | undefined;
  readonly arrival: Uint8Array | undefined;
}

function newDecapsulator(hasDevice = true): Decapsulator {
  return new Decapsulator({ vips: ['1.2.3.4', '2001:db8:1::4'], hasDevice, batchSize });
}

/** Puts packets into a batch, between bytes of poison. */
function batchOf(packets: readonly Uint8Array[], flags = 0): PacketBatch {
  const bytes = new Uint8Array(batchSize * room).fill(0xff);
  const column = (): Uint32Array => new Uint32Array(batchSize);
  const batch = { bytes, id: column(), offset: column(), length: column(), mark: column() };
  packets.forEach((packet, index) => {
    bytes.set(packet, index * room + margin);
    batch.offset[index] = index * room + margin;
    batch.length[index] = packet.length;
  });
  return {
    ...batch,
    hook: new Uint8Array(batchSize),
    flags: new Uint8Array(batchSize).fill(flags),
    verdict: new Uint8Array(batchSize).fill(Verdict.none),
  };
}

function fateOf(packet: Uint8Array, decapsulator = newDecapsulator(), flags = 0): Fate {
  const before = [...decapsulator.counts];
  const batch = batchOf([packet], flags);
  decapsulator.process(batch, 1);
  const counted = decapsulationReasons.filter((_, at) => decapsulator.counts[at] !== before[at]);
  assert.equal(counted.length, 1, 'a packet is counted once');
  const at = ({ offset, length }: { offset: Uint32Array; length: Uint32Array }): Uint8Array =>
    batch.bytes.slice(offset[0]!, offset[0]! + length[0]!);
  const verdict = batch.verdict[0]!;
  assert.ok(verdict === Verdict.drop || verdict === Verdict.rewritten);
  return {
    reason: counted[0]!,
    verdict: verdict === Verdict.rewritten ? at(batch) : undefined,
    arrival: decapsulator.arrivals.count === 1 ? at(decapsulator.arrivals) : undefined,
  };
}

const dropped = (reason: string): Fate => ({ reason, verdict: undefined, arrival: undefined });
const goesOn = (packet: Uint8Array): Fate => ({ reason: 'delivered', verdict: packet, arrival: undefined });
const arrives = (packet: Uint8Array): Fate => ({ reason: 'delivered', verdict: undefined, arrival: packet });

describe('a decapsulator', () => {
  it('lets the kernel go on with what was inside, where inside and outside are of one family', () => {
    const [four, six] = [craft(inner4), craft(inner6)];
    assert.deepEqual(fateOf(wrap(outer4, greWrap(four))), goesOn(four));
    assert.deepEqual(fateOf(wrap(outer6, greWrap(six))), goesOn(six));
    assert.deepEqual(fateOf(wrap({ ...outer4, protocol: 4 }, four)), goesOn(four));
    assert.deepEqual(fateOf(wrap({ ...outer6, protocol: 41 }, six)), goesOn(six));
  });

  it('has what is of the other family arrive by the device', () => {
    const [four, six] = [craft(inner4), craft(inner6)];
    assert.deepEqual(fateOf(wrap(outer6, greWrap(four))), arrives(four));
    assert.deepEqual(fateOf(wrap({ ...outer4, dontFragment: true }, greWrap(six))), arrives(six));
    assert.deepEqual(fateOf(wrap({ ...outer6, protocol: 4 }, four)), arrives(four));
    assert.deepEqual(fateOf(wrap({ ...outer4, protocol: 41 }, six)), arrives(six));
  });

  it('has what the stack would take for something else arrive by the device', () => {
    const unusual4: readonly Craft[] = [
      { ...inner4, ipOptions: [1, 1, 1, 0] },
      { ...inner4, payload: 'x'.repeat(40), fragment: { id: 7, from: 0, to: 24 } },
      { ...inner4, payload: 'x'.repeat(40), fragment: { id: 7, from: 24 } },
    ];
    for (const packet of unusual4.map(craft)) {
      assert.deepEqual(fateOf(wrap(outer4, greWrap(packet))), arrives(packet));
    }
    const unusual6: readonly Craft[] = [
      { ...inner6, extensions: [[0, [1, 4, 0, 0, 0, 0]]] },
      { ...inner6, payload: 'x'.repeat(40), fragment: { id: 7, from: 0, to: 24 } },
    ];
    for (const packet of unusual6.map(craft)) {
      assert.deepEqual(fateOf(wrap(outer6, greWrap(packet))), arrives(packet));
    }
    const six = craft(inner6);
    const optioned: Outer = { ...outer6, extensions: [47, 0, 1, 4, 0, 0, 0, 0], nextHeader: 0 };
    assert.deepEqual(fateOf(wrap(optioned, greWrap(six))), arrives(six));
  });

  it('goes on in place over the destination options that kernels add to their tunnels', () => {
    const six = craft(inner6);
    const limited: Outer = { ...outer6, extensions: [47, 0, 4, 1, 4, 1, 1, 0], nextHeader: 60 };
    assert.deepEqual(fateOf(wrap(limited, greWrap(six))), goesOn(six));
  });

  it('drops what needs a device when there is none', () => {
    const none = (): Decapsulator => newDecapsulator(false);
    assert.deepEqual(fateOf(wrap(outer6, greWrap(craft(inner4))), none()), dropped('no-device'));
    const four = craft(inner4);
    assert.deepEqual(fateOf(wrap(outer4, greWrap(four)), none()), goesOn(four));
  });

  it('delivers to VIPs alone', () => {
    const strange4 = craft({ ...inner4, destination: '10.0.2.11' });
    const strange6 = craft({ ...inner6, destination: '2001:db8:1::5' });
    assert.deepEqual(fateOf(wrap(outer4, greWrap(strange4))), dropped('not-for-vip'));
    assert.deepEqual(fateOf(wrap(outer6, greWrap(strange6))), dropped('not-for-vip'));
  });

  it('does not take an IPv4-mapped destination for the VIP that is inside', () => {
    const packet = craft(inner6);
    packet.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4], 24);
    assert.deepEqual(fateOf(wrap(outer6, greWrap(packet))), dropped('not-for-vip'));
  });

  it('leaves away what was around the packet, in front and behind', () => {
    const four = craft(inner4);
    assert.deepEqual(fateOf(wrap(outer4, greWrap(Uint8Array.from([...four, 0, 0, 0])))), goesOn(four));
  });

  it('drops what is damaged, and says how', () => {
    const wrong = craft(inner4);
    wrong[8]! -= 1;
    assert.deepEqual(fateOf(wrap(outer4, greWrap(wrong))), dropped('bad-inner-header'));
    const whole = wrap(outer4, greWrap(craft(inner4)));
    assert.deepEqual(fateOf(whole, newDecapsulator(), PacketFlag.truncated), dropped('truncated'));
    assert.deepEqual(fateOf(craft(inner4)), dropped('no-tunnel'));
  });

  it('counts packets by what became of them, and the bytes that were delivered', () => {
    const decapsulator = newDecapsulator();
    const [four, six] = [craft(inner4), craft(inner6)];
    decapsulator.process(batchOf([wrap(outer4, greWrap(four)), wrap(outer4, greWrap(six)), four]), 3);
    assert.equal(decapsulator.arrivals.count, 1);
    assert.equal(decapsulator.bytes, four.length + six.length);
    const counted = decapsulationReasons.filter((_, at) => decapsulator.counts[at]! > 0);
    assert.deepEqual(counted, ['delivered', 'no-tunnel']);
  });

  it('gives every packet a verdict within its bytes, whatever they say', () => {
    const decapsulator = newDecapsulator();
    const valid = wrap(outer4, greWrap(craft(inner4)));
    const damaged = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 })
      .map((changes) => changes.reduce((bytes, [at, to]) => bytes.with(at, to), valid));
    const any = fc.oneof(damaged, fc.uint8Array({ minLength: 1, maxLength: 120 }));
    fc.assert(
      fc.property(any, (packet) => {
        const { verdict, arrival } = fateOf(packet, decapsulator);
        assert.ok((verdict ?? arrival ?? []).length <= packet.length);
      }),
    );
  });
});
