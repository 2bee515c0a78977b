/**
 * Resets the TCP connections of backends that have gone down at both ends, though neither may be saying anything: who
 * waits for an answer would wait for ever. (Those whose ends speak are reset when they do: see nat-decision.ts.)
 *
 *   endpoint down ─▶ every row, some at a time ─▶ RST  VIP → client     ─┐
 *                                                 RST  SNAT → endpoint  ─┴▶ Outbox of the family
 *                └─▶ a second later again, for what was lost or had not been acknowledged ─▶ flow aborted
 *
 * A reset is believed if it stands at the very byte that its receiver expects next (RFC 5961 §3.2): the one that it has
 * acknowledged last.
 */
import { copyAddress } from '../conntrack/flow-key.ts';
import { Word, wordShift } from '../conntrack/flow-rows.ts';
import { FlowState } from '../conntrack/states.ts';
import type { FlowTracker } from '../conntrack/tracker.ts';
import { familyOf } from '../packet/address.ts';
import { TcpFlag } from '../packet/tcp.ts';
import type { Outbox } from './outbox.ts';
import { Reset, resetLength } from './reset.ts';
import type { ForwardingTables } from './tables.ts';

/** Rows that are looked at in one go: about 20 µs. */
const rowsPerTurn = 4_096;
const secondPassMs = 1_000;

/** Where packets of each family are put. */
export interface Outboxes {
  readonly ipv4: Outbox;
  readonly ipv6: Outbox;
}

export class ResetSweep {
  readonly #tracker: FlowTracker;
  readonly #outboxes: Outboxes;
  readonly #reset = new Reset();
  #tables: ForwardingTables;
  /** Which endpoints were down when that was looked at last. */
  readonly #down: Uint8Array;
  /** The row that comes next; 0: none. */
  #next = 0;
  #second = false;
  #dueMs = 0;

  /** Endpoints that are down by now are not news. */
  constructor(tracker: FlowTracker, tables: ForwardingTables, outboxes: Outboxes) {
    this.#tracker = tracker;
    this.#outboxes = outboxes;
    this.#tables = tables;
    this.#down = tables.endpointDown.slice();
    this.#reset.flags = TcpFlag.rst;
  }

  /** Goes over to another generation; begins (anew) if an endpoint with flows has gone down since. */
  use(tables: ForwardingTables): void {
    this.#tables = tables;
    const { flowsOfEndpoint } = this.#tracker.rows;
    for (let endpoint = 0; endpoint < this.#down.length; endpoint++) {
      const down = tables.endpointDown[endpoint]!;
      if (down === 1 && this.#down[endpoint] === 0 && flowsOfEndpoint[endpoint]! > 0) {
        this.#next = 1;
        this.#second = false;
        this.#dueMs = 0;
      }
      this.#down[endpoint] = down;
    }
  }

  /** Goes on for a while; answers with whether there is more to do at once, when the outboxes are empty again. */
  advance(nowMs: number): boolean {
    if (this.#next === 0 || nowMs < this.#dueMs) return false;
    const { capacity } = this.#tracker.rows;
    const end = Math.min(capacity, this.#next + rowsPerTurn);
    while (this.#next < end) {
      if (!this.#visit(this.#next)) return true;
      this.#next++;
    }
    if (end < capacity) return true;
    this.#next = this.#second ? 0 : 1;
    this.#second = !this.#second;
    this.#dueMs = nowMs + secondPassMs;
    return false;
  }

  /** Resets the flow in a row, if it is to be; false if the outbox has no room. */
  #visit(flow: number): boolean {
    const { rows } = this.#tracker;
    const state = rows.stateOf(flow);
    if (
      state !== FlowState.established &&
      state !== FlowState.clientClosing &&
      state !== FlowState.backendClosing
    ) {
      return true;
    }
    const tables = this.#tables;
    if (tables.endpointDown[rows.endpointOf(flow)] === 0) return true;
    if (tables.vipResetWhenDown[rows.vipOf(flow)] === 0) return true;
    if (!this.#tellClient(flow)) return false;
    if (!this.#tellBackend(flow)) return false;
    if (this.#second) this.#tracker.abort(flow);
    return true;
  }

  #tellClient(flow: number): boolean {
    const { rows } = this.#tracker;
    const reset = this.#reset;
    const vip = rows.vipOf(flow);
    copyAddress(this.#tables.vipWords, vip << 2, reset.words, 0);
    copyAddress(rows.words, (flow << wordShift) + Word.client, reset.words, 4);
    reset.sourcePort = this.#tables.vipPort[vip]!;
    reset.destinationPort = rows.clientPortOf(flow);
    reset.sequence = rows.words[(flow << wordShift) + Word.backendNext]!;
    return this.#send();
  }

  #tellBackend(flow: number): boolean {
    const { rows } = this.#tracker;
    const reset = this.#reset;
    const snat = rows.snatOf(flow);
    const endpoint = rows.endpointOf(flow);
    if (snat === 0) copyAddress(rows.words, (flow << wordShift) + Word.client, reset.words, 0);
    else copyAddress(this.#tables.snatWords, snat << 2, reset.words, 0);
    copyAddress(this.#tables.endpointWords, endpoint << 2, reset.words, 4);
    reset.sourcePort = rows.snatPortOf(flow);
    reset.destinationPort = this.#tables.endpointPort[endpoint]!;
    reset.sequence = rows.words[(flow << wordShift) + Word.clientNext]!;
    return this.#send();
  }

  #send(): boolean {
    const reset = this.#reset;
    reset.version = familyOf(reset.words, 4);
    const outbox = reset.version === 4 ? this.#outboxes.ipv4 : this.#outboxes.ipv6;
    const at = outbox.add(resetLength(reset.version));
    if (at >= 0) reset.write(outbox.view, at);
    return at >= 0;
  }
}
