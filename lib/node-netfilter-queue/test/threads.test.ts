import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { inside } from '../../../test/support/inside-netns.ts';
import { startWorker } from '../../../test/support/worker.ts';
import { kernelCounters, Queue, StopSignal } from '../lib/index.ts';
import { queueNumber, udpThroughQueue } from './support/udp.ts';

const network = inside(import.meta.url, 'router', {
  links: [{ ends: { router: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

/** A file of `test/fixtures`, which opens its queue before it says anything. */
const fixture = (file: string): URL => new URL(`./fixtures/${file}`, import.meta.url);

if (network !== undefined) {
  describe('a stop signal', () => {
    it('ends the wait of any number of queues on threads of their own', async (t) => {
      const udp = await udpThroughQueue(network, 'router');
      const stop = new StopSignal();
      t.after(() => {
        stop.close();
        udp.close();
      });
      const numbers = [queueNumber, queueNumber + 1, queueNumber + 2];
      const workers = await Promise.all(
        numbers.map((number) =>
          startWorker(fixture('blocking-loop.ts'), { queueNumber: number, stopFd: stop.fd }),
        ),
      );
      await udp.send('one', 'two', 'three');
      assert.deepEqual(await udp.arrivals(3), ['one', 'two', 'three']);

      const answers = Promise.all(workers.map((worker) => once(worker, 'message')));
      stop.raise();
      assert.deepEqual(await answers, [[3], [0], [0]]);
      assert.deepEqual(numbers.map(kernelCounters), [undefined, undefined, undefined]);
    });

    it('is noticed by a queue that never runs dry, and takes no packet away', async (t) => {
      const udp = await udpThroughQueue(network, 'router');
      const stop = new StopSignal();
      const queue = new Queue(queueNumber, { batchSize: 1, stopFd: stop.fd });
      t.after(() => {
        queue.close();
        stop.close();
        udp.close();
      });
      await udp.send(...Array.from({ length: 50 }, String));
      stop.raise();
      let received = 0;
      while (!queue.stopped) received += queue.receive(-1);
      assert.ok(received > 0 && received < 50);
      while (queue.receive(-1) > 0) received++;
      assert.equal(received, 50);
    });
  });

  describe('a worker thread that ends with its queue open', () => {
    for (const file of ['idle.ts', 'awaiting.ts']) {
      it(`gives the queue back (${file})`, async () => {
        const worker = await startWorker(fixture(file), { queueNumber });
        assert.throws(() => new Queue(queueNumber), { code: 'ERR_NFQ_BUSY' });
        await worker.terminate();
        new Queue(queueNumber).close();
      });
    }
  });
}
