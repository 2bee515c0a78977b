/**
 * The rules in the language of iptables, for one family at a time.
 *
 *   raw     PREROUTING ─▶ PREFIX ─┬─ tunnel packet from a welcome source: marked, or ─▶ PREFIX/0: NFQUEUE
 *                                 └─ out of a device ─▶ PREFIX/in: no mark, or for no VIP: dropped; the mark taken off
 *   mangle  PREROUTING ─▶ PREFIX: what is left of the protocols whose packets are queued is dropped
 *           OUTPUT ─▶ PREFIX/mss: segment size of SYN-ACKs from VIPs
 */
import { familyOf } from '../../datapath/kernel/description.ts';
import type { TableRules } from '../../datapath/kernel/iptables-restore.ts';
import { reassembly } from '../../datapath/kernel/iptables-rules.ts';
import { rulePrefix } from '../../datapath/kernel/rule-names.ts';
import type { Admission, TunnelRules } from '../plan.ts';
import { admittedMark, markMask } from './mark.ts';

const toHere = '-m addrtype --dst-type LOCAL';
const marked = `${hex(admittedMark)}/${hex(markMask)}`;

/** The rules of one family, table by table; none where there is nothing to say. */
export function iptablesTunnelRules(
  holder: string,
  rules: TunnelRules,
  family: 4 | 6,
): readonly TableRules[] {
  const prefix = rulePrefix(holder);
  return [rawRules(prefix, rules, family), mangleRules(prefix, rules, family)].filter(
    ({ jumps }) => jumps.length > 0,
  );
}

function rawRules(prefix: string, rules: TunnelRules, family: 4 | 6): TableRules {
  const queued = ofFamily(rules.queued, family);
  const admitted = ofFamily(rules.admitted, family);
  // Devices take in no IPv6 where there is no VIP of it (see devices.ts), and such kernels may have no ip6tables.
  const isGuarded = family === 4 || rules.vips.some((vip) => familyOf(vip) === 6);
  const devices = isGuarded ? rules.devices : [];
  const isNeeded = queued.length + admitted.length + devices.length > 0;
  return {
    table: 'raw',
    jumps: [
      ...(queued.length > 0 ? [`-A PREROUTING -j ${prefix}/whole`] : []),
      ...(isNeeded ? [`-A PREROUTING -j ${prefix}`] : []),
    ],
    chains: [
      prefix,
      ...(devices.length > 0 ? [`${prefix}/in`] : []),
      ...(queued.length > 0 ? [`${prefix}/whole`, `${prefix}/0`] : []),
    ],
    rules: [
      ...queued.map((each) => `-A ${prefix} ${match(each)} -g ${prefix}/0`),
      ...admitted.map((each) => `-A ${prefix} ${match(each)} -j MARK --set-xmark ${marked}`),
      ...devices.map((device) => `-A ${prefix} -i ${device} -g ${prefix}/in`),
      ...(devices.length > 0 ? comingOut(`${prefix}/in`, rules, family) : []),
      ...(queued.length > 0
        ? [reassembly(prefix, family), `-A ${prefix}/0 -j NFQUEUE --queue-num ${rules.queue}`]
        : []),
    ],
  };
}

function comingOut(chain: string, { vips }: TunnelRules, family: 4 | 6): string[] {
  return [
    `-A ${chain} -m mark ! --mark ${marked} -j DROP`,
    `-A ${chain} -j MARK --set-xmark 0x0/${hex(markMask)}`,
    ...vips.filter((vip) => familyOf(vip) === family).map((vip) => `-A ${chain} -d ${host(vip)} -j RETURN`),
    `-A ${chain} -j DROP`,
  ];
}

function mangleRules(prefix: string, rules: TunnelRules, family: 4 | 6): TableRules {
  const protocols = [...new Set(ofFamily(rules.queued, family).map(({ protocol }) => protocol))];
  const sizes = rules.segmentSizes.filter(({ vip }) => familyOf(vip) === family);
  return {
    table: 'mangle',
    jumps: [
      ...(protocols.length > 0 ? [`-A PREROUTING -j ${prefix}`] : []),
      ...(sizes.length > 0 ? [`-A OUTPUT -j ${prefix}/mss`] : []),
    ],
    chains: [...(protocols.length > 0 ? [prefix] : []), ...(sizes.length > 0 ? [`${prefix}/mss`] : [])],
    rules: [
      ...protocols.map((protocol) => `-A ${prefix} -p ${protocol} ${toHere} -j DROP`),
      ...sizes.map(
        // The target never raises a size.
        ({ vip, mss }) =>
          `-A ${prefix}/mss -s ${host(vip)} -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j TCPMSS --set-mss ${mss}`,
      ),
    ],
  };
}

function ofFamily(admissions: readonly Admission[], family: 4 | 6): readonly Admission[] {
  return admissions.filter((admission) => admission.family === family);
}

function match({ from, protocol }: Admission): string {
  return `-s ${from} -p ${protocol} ${toHere}`;
}

function host(address: string): string {
  return `${address}/${familyOf(address) === 4 ? 32 : 128}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
