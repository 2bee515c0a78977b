/**
 * Which flows a person wants to see, in words with spaces between them that a flow has to fit all of:
 *
 *     198.51.100.7   10.0.0.0/8   fd00::/8       an address or a network, of client, VIP or backend
 *     10.0.0.2:80    :443   443                  with a port, or a port alone
 *     established    udp                         a state, a protocol
 *     web                                        a part of the name of a service or a backend
 *     client:…  vip:…  backend:…  port:…  state:…  service:…     the same, at one place
 */
import { usageError } from './errors.ts';
import { contains, type Network, parseNetwork } from './network.ts';
import type { Protocol } from './spec.ts';
import { type FlowState, flowStates } from './view.ts';

const places = ['client', 'vip', 'backend'] as const;

/** The ends of a flow that have an address. */
export type FlowPlace = (typeof places)[number];

/** An address of `network`, if there is one, with `port`, if there is one, at any of `places`. */
export interface EndpointTerm {
  readonly kind: 'endpoint';
  readonly places: readonly FlowPlace[];
  readonly network?: Network;
  readonly port?: number;
}

/** A part of a name, in lower case. */
export interface NameTerm {
  readonly kind: 'name';
  readonly of: readonly ('service' | 'backend')[];
  readonly text: string;
}

export type FlowTerm =
  | EndpointTerm
  | NameTerm
  | { readonly kind: 'state'; readonly state: FlowState }
  | { readonly kind: 'protocol'; readonly protocol: Protocol };

export interface FlowFilter {
  /** As it was written. */
  readonly text: string;
  /** A flow has to fit each of them. */
  readonly terms: readonly FlowTerm[];
}

/** Reads a filter; an empty one fits every flow. Throws ERR_SLUICE_USAGE. */
export function parseFlowFilter(text: string): FlowFilter {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return { text, terms: words.map(parseTerm) };
}

/** Whether the address in the 16 bytes at `offset`, with `port`, is what the term asks for. */
export function fitsEndpoint(term: EndpointTerm, bytes: Uint8Array, offset: number, port: number): boolean {
  if (term.port !== undefined && term.port !== port) return false;
  return term.network === undefined || contains(term.network, bytes, offset);
}

/** Whether any of the names has the term's text in it. */
export function fitsName(term: NameTerm, names: readonly string[]): boolean {
  return names.some((name) => name.toLowerCase().includes(term.text));
}

function parseTerm(word: string): FlowTerm {
  const [, key, value = ''] = /^(client|vip|backend|port|state|service):(.*)$/i.exec(word) ?? [];
  switch (key?.toLowerCase()) {
    case 'client':
    case 'vip':
      return (
        endpointTerm(value, [key!.toLowerCase() as FlowPlace]) ??
        refuse(value, 'is no address, network or port', 'write 10.0.0.0/8, 10.0.0.2:80, fd00::1 or :443')
      );
    case 'backend':
      return endpointTerm(value, ['backend']) ?? nameTerm(value, ['backend']);
    case 'service':
      return nameTerm(value, ['service']);
    case 'port':
      return (
        portTerm(value, places) ??
        refuse(value, 'is no port', 'write a number from 0 to 65535, as in port:443')
      );
    case 'state':
      return (
        stateTerm(value) ?? refuse(value, 'is no state of a flow', `write one of ${flowStates.join(', ')}`)
      );
    default:
      return (
        stateTerm(word) ??
        protocolTerm(word) ??
        endpointTerm(word, places) ??
        nameTerm(word, ['service', 'backend'])
      );
  }
}

function endpointTerm(text: string, at: readonly FlowPlace[]): EndpointTerm | undefined {
  const port = portTerm(text.replace(/^:/, ''), at);
  if (port !== undefined) return port;
  const whole = parseNetwork(text.replace(/^\[(.*)\]$/, '$1'));
  if (whole !== undefined) return { kind: 'endpoint', places: at, network: whole };
  const [, v6, v4, digits = ''] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const network = parseNetwork(v6 ?? v4 ?? '');
  const withPort = portTerm(digits, at);
  return network === undefined || withPort === undefined ? undefined : { ...withPort, network };
}

function portTerm(text: string, at: readonly FlowPlace[]): EndpointTerm | undefined {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) return undefined;
  return { kind: 'endpoint', places: at, port: Number(text) };
}

function stateTerm(text: string): FlowTerm | undefined {
  const state = flowStates.find((each) => each === text.toLowerCase());
  return state === undefined ? undefined : { kind: 'state', state };
}

function protocolTerm(text: string): FlowTerm | undefined {
  const protocol = (['tcp', 'udp'] as const).find((each) => each === text.toLowerCase());
  return protocol === undefined ? undefined : { kind: 'protocol', protocol };
}

function nameTerm(text: string, of: NameTerm['of']): NameTerm {
  return { kind: 'name', of, text: text.toLowerCase() };
}

function refuse(text: string, problem: string, remedy: string): never {
  throw usageError(`${JSON.stringify(text)} ${problem}`, remedy);
}
