/**
 * A filter made ready for rows: what it says of VIPs, endpoints and states is worked out once for each number, so that
 * a row costs a few look-ups and, where its client is asked for, four words under a mask.
 *
 *   10.0.0.0/8   client │ words & mask │ port      vips │ 0 1 0 … │     endpoints │ 0 0 1 … │     any will do
 */
import { type FlowRows, Word, wordShift } from '../conntrack/flow-rows.ts';
import { flowStateNames } from '../conntrack/states.ts';
import {
  type EndpointTerm,
  type FlowFilter,
  type FlowTerm,
  fitsEndpoint,
  fitsName,
} from '../model/flow-filter.ts';
import { parseIp } from '../model/ip.ts';
import type { Network } from '../model/network.ts';
import { type ShownEndpoint, splitEndpoint } from '../model/shown-endpoint.ts';
import type { FlowNames } from './flow-names.ts';
import { viewState } from './flow-state.ts';

/** A row fits if any of what there is says 1 for it. */
interface RowTerm {
  /** By state, by VIP number, by endpoint number. */
  readonly states?: Uint8Array;
  readonly vips?: Uint8Array;
  readonly endpoints?: Uint8Array;
  readonly client?: ClientTerm;
}

interface ClientTerm {
  readonly words: Int32Array;
  readonly mask: Int32Array;
  readonly port: number | undefined;
}

export class RowFilter {
  readonly #terms: readonly RowTerm[];

  constructor({ terms }: FlowFilter, names: FlowNames) {
    this.#terms = terms.map((term) => compile(term, names));
  }

  fits(rows: FlowRows, row: number): boolean {
    for (const term of this.#terms) if (!fitsTerm(term, rows, row)) return false;
    return true;
  }
}

function fitsTerm({ states, vips, endpoints, client }: RowTerm, rows: FlowRows, row: number): boolean {
  if (states !== undefined && states[rows.stateOf(row)] === 1) return true;
  if (vips !== undefined && vips[rows.vipOf(row)] === 1) return true;
  if (endpoints !== undefined && endpoints[rows.endpointOf(row)] === 1) return true;
  if (client === undefined) return false;
  if (client.port !== undefined && client.port !== rows.clientPortOf(row)) return false;
  const at = (row << wordShift) + Word.client;
  for (let word = 0; word < 4; word++) {
    if ((rows.words[at + word]! & client.mask[word]!) !== client.words[word]) return false;
  }
  return true;
}

function compile(term: FlowTerm, { vips, endpoints }: FlowNames): RowTerm {
  switch (term.kind) {
    case 'state':
      return { states: Uint8Array.from(flowStateNames, (name) => Number(viewState(name) === term.state)) };
    case 'protocol':
      return { vips: column(vips, ({ protocol }) => protocol === term.protocol) };
    case 'name':
      return {
        ...(term.of.includes('service') && {
          vips: column(vips, ({ service }) => fitsName(term, [service])),
        }),
        ...(term.of.includes('backend') && {
          endpoints: column(endpoints, ({ backends }) => fitsName(term, backends)),
        }),
      };
    case 'endpoint':
      return {
        ...(term.places.includes('client') && { client: clientTerm(term) }),
        ...(term.places.includes('vip') && { vips: column(vips, (vip) => isAt(vip, term)) }),
        ...(term.places.includes('backend') && {
          endpoints: column(endpoints, ({ text }) => isAt(splitEndpoint(text), term)),
        }),
      };
  }
}

function column<Name>(names: ReadonlyMap<number, Name>, fits: (name: Name) => boolean): Uint8Array {
  const numbers = [...names].filter(([, name]) => fits(name)).map(([number]) => number);
  const fitting = new Uint8Array(Math.max(0, ...names.keys()) + 1);
  for (const number of numbers) fitting[number] = 1;
  return fitting;
}

const bytes = new Uint8Array(16);

function isAt({ address, port }: ShownEndpoint, term: EndpointTerm): boolean {
  parseIp(address, bytes, 0);
  return fitsEndpoint(term, bytes, 0, port);
}

function clientTerm({ network, port }: EndpointTerm): ClientTerm {
  return { words: wordsOf(network?.address), mask: maskOf(network), port };
}

function wordsOf(address: Uint8Array = new Uint8Array(16)): Int32Array {
  const view = new DataView(address.buffer, address.byteOffset, 16);
  return Int32Array.from({ length: 4 }, (_, word) => view.getInt32(word * 4));
}

function maskOf(network: Network | undefined): Int32Array {
  return Int32Array.from({ length: 4 }, (_, word) => {
    const covered = Math.min(32, Math.max(0, (network?.prefixBits ?? 0) - word * 32));
    return covered === 0 ? 0 : -1 << (32 - covered);
  });
}
