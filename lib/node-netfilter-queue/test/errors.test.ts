import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inside } from '../../../test/support/inside-netns.ts';
import { openError } from '../lib/errors.ts';
import { NetfilterQueueError, Queue } from '../lib/index.ts';

const network = inside(import.meta.url, 'router', {
  links: [{ ends: { router: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

if (network === undefined) {
  describe('a refusal to open a queue', () => {
    const { errno } = constants;
    for (const [refusal, code] of [
      [errno.EPERM, 'ERR_NFQ_NOT_PERMITTED'],
      [errno.EBUSY, 'ERR_NFQ_BUSY'],
      [errno.EPROTONOSUPPORT, 'ERR_NFQ_UNSUPPORTED'],
      [errno.EOPNOTSUPP, 'ERR_NFQ_UNSUPPORTED'],
      [errno.ENOMEM, 'ERR_NFQ_SYSTEM'],
    ] as const) {
      it(`with errno ${refusal} has code ${code}`, () => {
        const error = openError(3, -refusal);
        assert.ok(error instanceof NetfilterQueueError);
        assert.equal(error.code, code);
      });
    }
  });

  describe('a number out of range', () => {
    for (const [number, options] of [
      [-1, {}],
      [65_536, {}],
      [0.5, {}],
      [1, { batchSize: 513 }],
      [1, { copyRange: 0 }],
      [1, { headroom: 5_000 }],
      [1, { queueLength: 0 }],
    ] as const) {
      it(`is refused: queue ${number}, ${JSON.stringify(options)}`, () => {
        assert.throws(() => new Queue(number, options), { code: 'ERR_NFQ_ARGUMENT' });
      });
    }
  });
} else {
  describe('a queue', () => {
    it('that another socket has is busy', () => {
      const queue = new Queue(1);
      assert.throws(() => new Queue(1), { code: 'ERR_NFQ_BUSY', errno: 'EBUSY' });
      queue.close();
    });

    it('may stand beside others', () => {
      const queues = [0, 1, 65_535].map((number) => new Queue(number, { batchSize: 1 }));
      assert.deepEqual(
        queues.map((queue) => queue.receive(0)),
        [0, 0, 0],
      );
      for (const queue of queues) queue.close();
    });

    it('is not for those without CAP_NET_ADMIN, taken or not', () => {
      const queue = new Queue(1);
      const fixture = fileURLToPath(new URL('./fixtures/unprivileged.ts', import.meta.url));
      const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, fixture], {
        encoding: 'utf8',
      });
      assert.equal(stdout, 'ERR_NFQ_NOT_PERMITTED\nERR_NFQ_NOT_PERMITTED\n', stderr);
      queue.close();
    });
  });
}
