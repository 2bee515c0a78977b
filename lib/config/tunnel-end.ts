/** The arguments of `sluice backend`. */
import { type EncapsulationName, encapsulations } from '../model/encapsulation.ts';
import { type SluiceError, usageError } from '../model/errors.ts';
import { canonicalIp } from '../model/ip.ts';
import { formatNetwork, parseNetwork } from '../model/network.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { whyUnroutable } from './packet-findings.ts';

/** As the command line has them. What is undefined was not given. */
export interface TunnelEndArguments {
  readonly vips: readonly string[];
  readonly from?: string | undefined;
  readonly encap?: EncapsulationName | undefined;
  readonly mss?: string | undefined;
  readonly name?: string | undefined;
}

/** What every machine sends and takes, RFC 9293 §3.7.1, and what fits into the option. */
const mssRange = [536, 65_495] as const;

/**
 * The tunnel end that the arguments ask for.
 * @throws {SluiceError} with the exit code of a usage error.
 */
export function tunnelEndFromArguments(given: TunnelEndArguments): TunnelEndSpec {
  const [defaultEncapsulation] = encapsulations;
  const { encap: encapsulation = defaultEncapsulation, mss = 'auto', name = 'backend' } = given;
  const from = [...new Set((given.from ?? '').split(',').filter(Boolean).map(parseSource))];
  if (encapsulation === 'l2' && from.length > 0) {
    throw usageError('--from has no meaning with --encap l2: there is no tunnel', 'leave it out');
  }
  if (encapsulation !== 'l2' && from.length === 0) {
    throw usageError(
      '--from is missing: anyone could send packets into the tunnel',
      'name the addresses of the balancers, as in --from 10.0.0.1,10.0.0.2',
    );
  }
  if (!/^[\w.-]+$/.test(name)) {
    throw refused(name, 'a name for an instance', 'use letters, digits, dots and hyphens');
  }
  return { name, vips: [...new Set(given.vips.map(parseVip))], encapsulation, from, mss: parseMss(mss) };
}

function parseVip(text: string): string {
  const address = canonicalIp(text.replace(/^\[(.*)\]$/, '$1'));
  if (address === undefined) {
    throw refused(text, 'the address of a VIP', 'write it without protocol and port, as in 192.0.2.10');
  }
  const unroutable = whyUnroutable(address);
  if (unroutable === undefined) return address;
  throw usageError(`${address} cannot be a VIP: ${unroutable}`, 'name the address that clients use');
}

function parseSource(text: string): string {
  const network = parseNetwork(text);
  if (network === undefined) {
    throw refused(
      text,
      'where tunnels come from',
      'write ADDRESS or ADDRESS/BITS, several with commas between them',
    );
  }
  return formatNetwork(network);
}

function parseMss(text: string): TunnelEndSpec['mss'] {
  if (text === 'auto' || text === 'off') return text;
  const [least, most] = mssRange;
  if (/^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw refused(text, 'a segment size', `write a number from ${least} to ${most}, or off`);
}

function refused(text: string, what: string, remedy: string): SluiceError {
  return usageError(`${JSON.stringify(text)} is not ${what}`, remedy);
}
