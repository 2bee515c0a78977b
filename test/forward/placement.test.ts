import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writePlacementKey } from '../../lib/forward/placement.ts';
import { flowKeyLength, writeFlowKey } from '../../lib/hash/flow-key.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { craft } from '../packet/craft.ts';
import { families } from './balancer.ts';

describe('the key that places a flow', () => {
  for (const { client, vip, version } of families) {
    for (const protocol of ['tcp', 'udp'] as const) {
      it(`is the same for a ${protocol} packet and for a socket, over IPv${version}`, () => {
        const bytes = craft({
          source: client,
          destination: vip,
          sourcePort: 40_000,
          destinationPort: 80,
          protocol,
        });
        const packet = new Packet();
        assert.equal(parsePacket(packet, new DataView(bytes.buffer), 0, bytes.length), 0);
        const fromPacket = new Uint8Array(64);
        const fromText = new Uint8Array(64);
        assert.equal(writePlacementKey(packet, new DataView(fromPacket.buffer)), flowKeyLength);
        const tuple = { protocol, clientAddress: client, clientPort: 40_000, vipAddress: vip, vipPort: 80 };
        writeFlowKey(tuple, fromText);
        assert.deepEqual(fromPacket, fromText);
      });
    }
  }
});
