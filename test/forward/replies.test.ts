import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { craft } from '../packet/craft.ts';
import { Balancer, families } from './balancer.ts';

for (const { client, other, vip, version } of families) {
  describe(`ICMP errors of our own over IPv${version}`, () => {
    function queries(balancer: Balancer, source: string, count: number): string[] {
      const query = craft({ source, destination: vip, protocol: 'udp', destinationPort: 53 });
      return Array.from({ length: count }, () => balancer.send(query).reason);
    }
    const told = (count: number): string[] => new Array<string>(count).fill('unreachable-sent');

    it('come to one client no more than eight at once, and sixteen a second', () => {
      const balancer = new Balancer({ pick: () => 0 });
      assert.deepEqual(queries(balancer, client, 9), [...told(8), 'no-backend']);
      balancer.nowMs += 63;
      assert.deepEqual(queries(balancer, client, 2), [...told(1), 'no-backend']);
    });

    it('come to another all the same', () => {
      const balancer = new Balancer({ pick: () => 0 });
      queries(balancer, client, 20);
      assert.deepEqual(queries(balancer, other, 1), told(1));
    });
  });
}
