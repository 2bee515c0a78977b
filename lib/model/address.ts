/**
 * Addresses as people write them: `tcp://10.0.0.1:80`, `[fd00::1]:53`, `web.internal:8080=2`. What is read here is
 * canonical (names in lower case, IPv6 as in RFC 5952), so that two spellings of one address are equal.
 */
import { usageError } from './errors.ts';
import { canonicalIp, ipFamily } from './ip.ts';
import type { BackendSpec, HostPort, Listen, Protocol } from './spec.ts';

/**
 * What an address is for. To `bind` the host may be empty (every address of the machine) and the port 0
 * (any free one); to `connect` neither may.
 */
export type AddressUse = 'bind' | 'connect';

const highestPort = 65_535;
const highestWeight = 65_535;

/** Reads `[tcp://|udp://]HOST:PORT`, or `:PORT` for every address; tcp is the default. */
export function parseListen(text: string): Listen {
  const [, scheme, rest] = /^(?:([^:/]*):\/\/)?(.*)$/s.exec(text)!;
  const protocol = scheme?.toLowerCase() ?? 'tcp';
  if (!isProtocol(protocol))
    throw refuse(text, `scheme ${quote(protocol)} is unknown`, 'use tcp:// or udp://');
  return { protocol, ...readHostPort(text, rest!, { use: 'bind' }) };
}

/** The one spelling of a listener: `tcp://127.0.0.1:80`, `udp://:53`. */
export function formatListen(listen: Listen): string {
  return `${listen.protocol}://${formatHostPort(listen.host, listen.port)}`;
}

/** Whether a backend has to name its port; one that does not has port 0, which is none. */
export type BackendPort = 'required' | 'optional';

/** Reads `HOST:PORT[=WEIGHT]`, or `HOST[=WEIGHT]` where the port may be left out; the weight is 1 unless given. */
export function parseBackend(text: string, port: BackendPort): BackendSpec {
  const [address, weight, ...more] = text.split('=');
  if (more.length > 0) throw refuse(text, 'it has more than one weight', 'write HOST:PORT=WEIGHT');
  const target = readBackendAddress(text, address!, port);
  return {
    name: formatBackend(target.host, target.port),
    ...target,
    weight: weight === undefined ? 1 : readWeight(text, weight),
  };
}

/** Reads the address of a backend without a weight. */
export function parseBackendAddress(text: string, port: BackendPort): HostPort {
  return readBackendAddress(text, text, port);
}

function readBackendAddress(text: string, rest: string, port: BackendPort): HostPort {
  return readHostPort(
    text,
    rest,
    port === 'required' ? { use: 'connect' } : { use: 'connect', defaultPort: 0 },
  );
}

/** Reads `HOST:PORT`. */
export function parseHostPort(text: string, use: AddressUse): HostPort {
  return readHostPort(text, text, { use });
}

/** `HOST:PORT`, with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The address of a backend: without a port where it has none of its own. */
export function formatBackend(host: string, port: number): string {
  return port === 0 ? host : formatHostPort(host, port);
}

interface Expected {
  readonly use: AddressUse;
  /** The port may be left out, and is then this. */
  readonly defaultPort?: number;
}

/** `rest` is the part of `text` that should be `HOST:PORT`; `text` is what errors quote. */
function readHostPort(text: string, rest: string, expected: Expected): HostPort {
  if (rest === '') throw refuse(text, 'it is empty', `write ${example(expected)}`);
  const scheme = /^[a-z]+:\/\//i.exec(rest)?.[0];
  if (scheme !== undefined) throw refuse(text, `${scheme} does not belong here`, `leave ${scheme} out`);
  if (/^\d+$/.test(rest)) {
    throw refuse(text, 'it is only a port', `write ${expected.use === 'bind' ? '' : 'HOST'}:${rest}`);
  }
  const { host: givenHost, port: givenPort } = split(text, rest, expected);
  if (givenHost === '' && expected.use === 'connect') {
    throw refuse(text, 'the host is missing', `write ${example(expected)}`);
  }
  const host = givenHost === '' ? '' : readHost(text, givenHost);
  if (givenPort !== undefined) return { host, port: readPort(text, givenPort, expected.use) };
  if (expected.defaultPort !== undefined) return { host, port: expected.defaultPort };
  throw refuse(text, 'the port is missing', `add one, as in ${formatHostPort(host, 80)}`);
}

/** Parts the host, without its brackets, from the port. */
function split(text: string, rest: string, expected: Expected): { host: string; port: string | undefined } {
  if (rest.startsWith('[')) {
    const end = rest.indexOf(']');
    if (end < 0) throw refuse(text, 'the bracket is not closed', 'write [IPV6]:PORT, as in [fd00::1]:80');
    const host = rest.slice(1, end);
    const tail = rest.slice(end + 1);
    if (ipFamily(host) !== 6) {
      throw refuse(
        text,
        `${quote(host)} is not an IPv6 address`,
        'write only IPv6 in brackets, as in [fd00::1]:80',
      );
    }
    if (tail !== '' && !tail.startsWith(':')) {
      throw refuse(text, `${quote(tail)} follows the bracket`, `write [${host}]:PORT`);
    }
    return { host, port: tail === '' ? undefined : tail.slice(1) };
  }
  const colon = rest.indexOf(':');
  if (colon < 0) return { host: rest, port: undefined };
  if (rest.indexOf(':', colon + 1) >= 0) throw refuseColons(text, rest, expected);
  return { host: rest.slice(0, colon), port: rest.slice(colon + 1) };
}

/** More than one colon and no brackets: says where they belong, as far as one can tell host from port. */
function refuseColons(text: string, rest: string, expected: Expected): Error {
  const last = rest.lastIndexOf(':');
  const head = rest.slice(0, last);
  const port = rest.slice(last + 1);
  const problem = 'IPv6 needs brackets';
  if (expected.defaultPort !== undefined && ipFamily(rest) === 6)
    return refuse(text, problem, `write [${rest}]`);
  if (ipFamily(head) === 6 && /^\d+$/.test(port)) return refuse(text, problem, `write [${head}]:${port}`);
  if (ipFamily(rest) === 6) return refuse(text, problem, `write [${rest}]:PORT`);
  return refuse(text, 'it has too many colons', 'write HOST:PORT, and IPv6 in brackets');
}

function readHost(text: string, host: string): string {
  const ip = canonicalIp(host);
  if (ip !== undefined) return ip;
  const labels = host.replace(/\.$/, '').split('.');
  // RFC 1123 §2.1: the last label of a name is never a number, so this was meant to be IPv4.
  if (/^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1)!)) {
    throw refuse(
      text,
      `${quote(host)} is not an IPv4 address`,
      'write four numbers from 0 to 255, without leading zeros',
    );
  }
  if (host.length > 253 || !labels.every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label))) {
    throw refuse(
      text,
      `${quote(host)} is not a host`,
      'use an address, or a name of letters, digits, hyphens and dots',
    );
  }
  return host.toLowerCase();
}

function readPort(text: string, port: string, use: AddressUse): number {
  const lowest = use === 'bind' ? 0 : 1;
  const remedy = `use a port from 1 to ${highestPort}`;
  if (port === '') throw refuse(text, 'the port is missing', remedy);
  if (!/^\d+$/.test(port)) throw refuse(text, `port ${quote(port)} is not a number`, remedy);
  if (Number(port) < lowest || Number(port) > highestPort) {
    throw refuse(text, `port ${port} is out of range`, remedy);
  }
  return Number(port);
}

function readWeight(text: string, weight: string): number {
  const remedy = `use a whole number from 0 to ${highestWeight}`;
  if (weight === '') throw refuse(text, 'the weight is missing', remedy);
  if (!/^\d+$/.test(weight)) throw refuse(text, `weight ${quote(weight)} is not a whole number`, remedy);
  if (Number(weight) > highestWeight) throw refuse(text, `weight ${weight} is out of range`, remedy);
  return Number(weight);
}

function isProtocol(text: string): text is Protocol {
  return text === 'tcp' || text === 'udp';
}

function example({ use, defaultPort }: Expected): string {
  if (use === 'bind') return 'HOST:PORT, or :PORT for every address';
  return defaultPort === undefined ? 'HOST:PORT' : 'HOST or HOST:PORT';
}

/** As in JSON, so that whatever was typed stays on one line. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function refuse(text: string, problem: string, remedy: string): Error {
  return usageError(`${quote(text)} is not an address: ${problem}`, remedy);
}
