/**
 * The ports that checks leave from. A packet from one of them goes to the endpoint that stands under the port, whatever
 * else would be decided over it; the workers look there in shared memory, so that a port is in force once it is taken.
 *
 *   port − first   0   1   2   3   …
 *                │ 7 │ 7 │ 9 │ 0 │     endpoint number; it stays when the port is given back, for stragglers
 *                          └─ next: each port has a rest of one round, as its last connection may need
 */
export class ProbePorts {
  /** By port − first: the number of an endpoint, or 0. Shared with the workers. */
  readonly endpoints: Uint16Array;
  readonly #first: number;
  readonly #busy: Uint8Array;
  #next: number;

  /** Both ends of the range are included; `random` (0 up to 1) says where in it to begin. */
  constructor([first, last]: readonly [first: number, last: number], random: number) {
    const size = last - first + 1;
    this.endpoints = new Uint16Array(new SharedArrayBuffer(size * 2));
    this.#first = first;
    this.#busy = new Uint8Array(size);
    this.#next = Math.floor(random * size);
  }

  /** A port whose packets go to `endpoint` from now on; undefined if all are taken. */
  take(endpoint: number): number | undefined {
    const size = this.#busy.length;
    for (let turn = 0; turn < size; turn++) {
      const slot = (this.#next + turn) % size;
      if (this.#busy[slot] === 1) continue;
      this.#next = (slot + 1) % size;
      this.#busy[slot] = 1;
      this.endpoints[slot] = endpoint;
      return this.#first + slot;
    }
    return undefined;
  }

  giveBack(port: number): void {
    this.#busy[port - this.#first] = 0;
  }
}
