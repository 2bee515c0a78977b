import assert from 'node:assert/strict';
import { MemoryTcp, type Peer } from '../../support/memory-tcp.ts';
import { describeStreamContract, type WirePeer } from './stream-contract.ts';

function wirePeer(peer: Peer): WirePeer {
  return {
    send: (bytes) => void peer.send(bytes),
    finish: () => void peer.finish(),
    reset: () => void peer.reset(),
    stopReading: () => {
      peer.reading = false;
    },
    startReading: () => {
      peer.reading = true;
    },
    bytes: () => peer.bytes,
    gotFin: () => peer.gotFin,
    gotReset: () => peer.gotReset,
  };
}

describeStreamContract('the network in memory', async () => {
  const network = new MemoryTcp();
  const backend = { host: '10.0.0.1', port: 80 };
  const nowhere = { host: '10.0.0.2', port: 80 };
  network.backend(nowhere.host, nowhere.port).reception = 'ECONNREFUSED';
  return {
    transport: network,
    backend,
    nowhere,
    accepted() {
      const peer = network.backend(backend.host, backend.port).peers.at(-1);
      return peer && wirePeer(peer);
    },
    client: (port) => wirePeer(network.client(port)!),
    until: async (happened) => {
      while (!happened() && network.step(0));
      assert.ok(happened(), 'nothing else could happen');
    },
    rest: async () => network.settle(),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
