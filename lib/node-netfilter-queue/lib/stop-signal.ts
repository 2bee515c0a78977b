/** How one thread tells queues on other threads to stop, while they sleep in the kernel. */
import { closeSync, writeSync } from 'node:fs';
import { systemError } from './errors.ts';
import { native } from './native.ts';

/** An eventfd counts in 64 bits; any value but 0 makes it readable. */
const one = new BigUint64Array([1n]);

/**
 * Hand `fd`, a plain number, to a worker and let it open its queue with `stopFd`. From {@link raise} on, the
 * queue waits no more: its `receive` returns at once and its `stopped` is true. One signal may serve any
 * number of queues. It stays raised.
 */
export class StopSignal {
  readonly fd: number;

  constructor() {
    this.fd = native().createEvent();
    if (this.fd < 0) throw systemError('create an event', this.fd);
  }

  raise(): void {
    writeSync(this.fd, one);
  }

  /** Gives the descriptor back. Queues that were opened with it have their own and are not stopped by this. */
  close(): void {
    closeSync(this.fd);
  }
}
