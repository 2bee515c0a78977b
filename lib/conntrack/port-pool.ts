/**
 * Source ports for SNAT. A port is unique per (backend endpoint, SNAT address), and so is the answer's five-tuple;
 * another endpoint or another address has all ports anew.
 *
 *   bank of (endpoint, address), taken from a fixed number of banks at its first use:
 *      bits  1 = free:  │0110…│1111…│     one per port of the range, lowest first
 *                          ▲ cursor: the search begins behind the port that was given last
 *
 * Ports go round: one that was given back may be given at once, but comes last, so that a backend that still
 * remembers its former use (TIME-WAIT) is the least likely to see it again.
 */

export interface PortPoolOptions {
  /** The range, both ends included. */
  readonly firstPort: number;
  readonly lastPort: number;
  /** Endpoints and SNAT addresses are numbers below these. */
  readonly endpoints: number;
  readonly addresses: number;
  /** How many (endpoint, address) pairs may have ports in use at the same time. */
  readonly banks: number;
  /**
   * The offset at which a bank that was not used before begins; 0 when absent. Best another one each time the pool is
   * made, lest backends see ports again from connections that they remember and we do not (RFC 6056 §3.3).
   */
  readonly start?: number;
}

export class PortPool {
  readonly firstPort: number;
  /** Ports in a bank. */
  readonly size: number;
  readonly #addresses: number;
  readonly #start: number;
  readonly #wordsPerBank: number;
  /** Bank of a pair, by endpoint × addresses + address; 0 is none yet. */
  readonly #bankOf: Uint16Array;
  readonly #bits: Int32Array;
  readonly #used: Uint16Array;
  /** The offset behind the port that was given last. */
  readonly #cursor: Uint16Array;
  readonly #freeBanks: Uint16Array;
  #freeBankCount: number;

  constructor(options: PortPoolOptions) {
    this.firstPort = options.firstPort;
    this.size = options.lastPort - options.firstPort + 1;
    this.#addresses = options.addresses;
    this.#start = (options.start ?? 0) % this.size;
    this.#wordsPerBank = (this.size + 31) >> 5;
    this.#bankOf = new Uint16Array(options.endpoints * options.addresses);
    this.#bits = new Int32Array((options.banks + 1) * this.#wordsPerBank);
    this.#used = new Uint16Array(options.banks + 1);
    this.#cursor = new Uint16Array(options.banks + 1);
    this.#freeBanks = new Uint16Array(options.banks);
    this.#freeBankCount = 0;
    for (let bank = options.banks; bank >= 1; bank--) {
      this.#freeBanks[this.#freeBankCount] = bank;
      this.#freeBankCount++;
      this.#fill(bank);
    }
  }

  /** Takes a free port of the pair; 0 when it has none left, or when no bank is free for it. */
  take(endpoint: number, address: number): number {
    const bank = this.#bankFor(endpoint, address);
    if (bank === 0 || this.#used[bank] === this.size) return 0;
    const base = bank * this.#wordsPerBank;
    const cursor = this.#cursor[bank]!;
    let word = cursor >> 5;
    // The bits below the cursor come last: the word they are in is looked at a second time at the end.
    let free = this.#bits[base + word]! & (-1 << (cursor & 31));
    while (free === 0) {
      word = word + 1 === this.#wordsPerBank ? 0 : word + 1;
      free = this.#bits[base + word]!;
    }
    const offset = (word << 5) + (31 - Math.clz32(free & -free));
    this.#occupy(bank, offset);
    this.#cursor[bank] = offset + 1 === this.size ? 0 : offset + 1;
    return this.firstPort + offset;
  }

  /**
   * Takes this very port of the pair, out of turn, as when the pool is built again from a flow table. False if it is
   * not free.
   */
  claim(endpoint: number, address: number, port: number): boolean {
    const offset = port - this.firstPort;
    if (offset < 0 || offset >= this.size) return false;
    const bank = this.#bankFor(endpoint, address);
    if (bank === 0) return false;
    if ((this.#bits[bank * this.#wordsPerBank + (offset >> 5)]! & (1 << (offset & 31))) === 0) return false;
    this.#occupy(bank, offset);
    return true;
  }

  /** Gives a port back. One that is not in use stays free. */
  release(endpoint: number, address: number, port: number): void {
    const pair = endpoint * this.#addresses + address;
    const bank = this.#bankOf[pair]!;
    const offset = port - this.firstPort;
    if (bank === 0 || offset < 0 || offset >= this.size) return;
    const word = bank * this.#wordsPerBank + (offset >> 5);
    if ((this.#bits[word]! & (1 << (offset & 31))) !== 0) return;
    this.#bits[word]! |= 1 << (offset & 31);
    this.#used[bank]!--;
  }

  /** Ports of the pair that are in use. */
  used(endpoint: number, address: number): number {
    return this.#used[this.#bankOf[endpoint * this.#addresses + address]!]!;
  }

  /** The port that stands `distance` places behind the cursor: the lower, the longer it has been in use. */
  peek(endpoint: number, address: number, distance: number): number {
    const bank = this.#bankOf[endpoint * this.#addresses + address]!;
    return this.firstPort + ((this.#cursor[bank]! + distance) % this.size);
  }

  /** Takes the bank of an endpoint that is configured no more and has no flow left, so that another may have it. */
  retire(endpoint: number): void {
    for (let address = 0; address < this.#addresses; address++) {
      const pair = endpoint * this.#addresses + address;
      const bank = this.#bankOf[pair]!;
      if (bank === 0 || this.#used[bank] !== 0) continue;
      this.#bankOf[pair] = 0;
      this.#freeBanks[this.#freeBankCount] = bank;
      this.#freeBankCount++;
    }
  }

  #bankFor(endpoint: number, address: number): number {
    const pair = endpoint * this.#addresses + address;
    const bank = this.#bankOf[pair]!;
    if (bank !== 0 || this.#freeBankCount === 0) return bank;
    this.#freeBankCount--;
    const fresh = this.#freeBanks[this.#freeBankCount]!;
    this.#bankOf[pair] = fresh;
    this.#cursor[fresh] = this.#start;
    return fresh;
  }

  #occupy(bank: number, offset: number): void {
    this.#bits[bank * this.#wordsPerBank + (offset >> 5)]! &= ~(1 << (offset & 31));
    this.#used[bank]!++;
  }

  /** Marks every port of a bank free, and the bits behind the range never. */
  #fill(bank: number): void {
    const base = bank * this.#wordsPerBank;
    this.#bits.fill(-1, base, base + this.#wordsPerBank);
    const beyond = this.size & 31;
    if (beyond !== 0) this.#bits[base + this.#wordsPerBank - 1] = ~(-1 << beyond);
  }
}
