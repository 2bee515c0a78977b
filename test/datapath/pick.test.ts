import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BackendPool } from '../../lib/balance/pool.ts';
import { Choices } from '../../lib/datapath/choices.ts';
import { Picker, writePacketKey, writePacketSourceKey } from '../../lib/datapath/pick.ts';
import type { Choice } from '../../lib/datapath/publication.ts';
import { flowKeyLength, writeFlowKey, writeSourceKey } from '../../lib/hash/flow-key.ts';
import type { BalanceName } from '../../lib/model/spec.ts';
import { writeAddress } from '../../lib/packet/address.ts';
import { destinationAt, Packet, Protocol, sourceAt } from '../../lib/packet/packet.ts';

const hashSeed = '000102030405060708090a0b0c0d0e0f';
const random = (): number => 0.5;

function packetOf(client: string, clientPort: number, vip = '198.51.100.1'): Packet {
  const packet = new Packet();
  writeAddress(client, packet.words, sourceAt);
  writeAddress(vip, packet.words, destinationAt);
  packet.protocol = Protocol.tcp;
  packet.sourcePort = clientPort;
  packet.destinationPort = 80;
  return packet;
}

/** Endpoints 11, 12, … under the names a, b, …, of VIP 1. */
function choiceOf(balance: BalanceName, ...weights: number[]): Choice {
  const members = weights.map((weight, index) => ({
    endpoint: 11 + index,
    name: String.fromCharCode(97 + index),
    weight,
  }));
  return new Choices(hashSeed, 'by-policy').complete([{ vip: 1, balance, members, refuse: false }])[0]!;
}

function pickerOf(choice: Choice, flows = new Uint32Array(32)): Picker {
  const picker = new Picker({ hashSeed, random }, flows);
  picker.use([choice]);
  return picker;
}

const address = fc.oneof(fc.ipV4(), fc.ipV6());

describe('a flow key from a packet', () => {
  it('is the one that a socket has', () => {
    fc.assert(
      fc.property(address, address, fc.nat(65_535), (clientAddress, vipAddress, clientPort) => {
        const tuple = { protocol: 'tcp', clientAddress, clientPort, vipAddress, vipPort: 80 } as const;
        const packet = packetOf(clientAddress, clientPort, vipAddress);
        const [fromPacket, fromSocket] = [new Uint8Array(flowKeyLength), new Uint8Array(flowKeyLength)];
        assert.equal(writePacketKey(packet, fromPacket), writeFlowKey(tuple, fromSocket));
        assert.deepEqual(fromPacket, fromSocket);
        assert.equal(writePacketSourceKey(packet, fromPacket), writeSourceKey(tuple, fromSocket));
      }),
    );
  });
});

describe('a pick on the packet path', () => {
  for (const balance of ['maglev', 'source'] as const) {
    it(`by ${balance} is the pick of the proxy`, () => {
      const specs = ['a', 'b', 'c'].map((name, index) => ({
        name,
        host: '10.0.0.1',
        port: index + 1,
        weight: index + 1,
      }));
      const pool = new BackendPool(
        { balance, hashSeed, random, whenAllDown: 'reject', noticeMs: 0, maxConnections: 0 },
        specs,
        0,
      );
      const picker = pickerOf(choiceOf(balance, 1, 2, 3));
      for (let number = 0; number < 500; number++) {
        const clientAddress = `10.1.${number >> 8}.${number & 255}`;
        const backend = pool.pick(
          {
            protocol: 'tcp',
            clientAddress,
            clientPort: 4_000 + number,
            vipAddress: '198.51.100.1',
            vipPort: 80,
          },
          [],
        );
        const endpoint = picker.pick(1, packetOf(clientAddress, 4_000 + number));
        assert.equal(
          String.fromCharCode(86 + endpoint),
          typeof backend === 'string' ? backend : backend.name,
        );
      }
    });
  }

  it('by least-connections follows the flows of the worker', () => {
    const flows = new Uint32Array(32);
    const picker = pickerOf(choiceOf('least-connections', 1, 1, 2), flows);
    flows.set([3, 2, 5], 11);
    assert.equal(picker.pick(1, packetOf('10.0.0.1', 1)), 12);
    flows[12] = 3;
    assert.equal(picker.pick(1, packetOf('10.0.0.1', 2)), 13);
  });

  it('by round-robin goes on where it was when nothing has changed', () => {
    const picker = pickerOf(choiceOf('round-robin', 1, 1, 1));
    const picked = [1, 2, 3, 4].map((port) => {
      picker.use([choiceOf('round-robin', 1, 1, 1)]);
      return picker.pick(1, packetOf('10.0.0.1', port));
    });
    assert.deepEqual(picked, [11, 12, 13, 11]);
  });

  it('is nobody when nobody is to take new flows, but packets in mid-flow are placed', () => {
    const [choice] = new Choices(hashSeed, 'always').complete([
      { ...choiceOf('random', 1, 1), refuse: true },
    ]);
    const picker = pickerOf(choice!);
    assert.equal(picker.pick(1, packetOf('10.0.0.1', 1)), 0);
    assert.notEqual(picker.place(1, packetOf('10.0.0.1', 1)), 0);
  });

  for (const balance of ['round-robin', 'least-connections', 'two-choices', 'random'] as const) {
    it(`by ${balance} has the hash of maglev for packets in mid-flow, if it is given the table`, () => {
      const [choice] = new Choices(hashSeed, 'always').complete([choiceOf(balance, 1, 2, 3)]);
      const [picker, maglev] = [pickerOf(choice!), pickerOf(choiceOf('maglev', 1, 2, 3))];
      for (let port = 1; port < 500; port++) {
        const packet = packetOf('10.0.0.1', port);
        assert.equal(picker.place(1, packet), maglev.pick(1, packet));
      }
      assert.equal(pickerOf(choiceOf(balance, 1)).place(1, packetOf('10.0.0.1', 1)), 0);
    });
  }

  for (const balance of ['maglev', 'round-robin', 'two-choices', 'random', 'least-connections'] as const) {
    it(`by ${balance} is nobody when there is nobody, or no such VIP`, () => {
      assert.equal(pickerOf(choiceOf(balance)).pick(1, packetOf('10.0.0.1', 1)), 0);
      assert.equal(pickerOf(choiceOf(balance, 1)).pick(2, packetOf('10.0.0.1', 1)), 0);
      assert.equal(pickerOf(choiceOf(balance, 1)).pick(1, packetOf('10.0.0.1', 1)), 11);
    });
  }
});
