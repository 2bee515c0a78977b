/**
 * The rules in the language of nft: one table of sluice's own for both families.
 *
 *   prerouting (raw) ─┬─ tunnel packet from a welcome source: marked, or queued
 *                     └─ out of a device ─▶ arriving: no mark, or for no VIP: dropped; the mark taken off
 *   strangers (prerouting, mangle): what is left of the protocols whose packets are queued is dropped
 *   output (mangle): segment size of SYN-ACKs from VIPs
 */
import { familyOf } from '../../datapath/kernel/description.ts';
import { chain, nftRemoval, reassembly } from '../../datapath/kernel/nft-rules.ts';
import { rulePrefix } from '../../datapath/kernel/rule-names.ts';
import type { Admission, TunnelRules } from '../plan.ts';
import { admittedMark, markMask } from './mark.ts';

const toHere = 'fib daddr type local';
const others = hex(~markMask >>> 0);

/** The script that brings the rules about, whatever stood there before. */
export function nftTunnelRules(holder: string, rules: TunnelRules): string {
  const { admitted, queued, devices, segmentSizes, queue } = rules;
  const chains = [
    ...(devices.length === 0 ? [] : [chain('arriving', arriving(rules))]),
    ...(admitted.length + queued.length + devices.length === 0
      ? []
      : [
          chain('prerouting', [
            'type filter hook prerouting priority raw; policy accept;',
            ...(queued.length === 0 ? [] : reassembly),
            ...queued.map((each) => `${match(each)} queue num ${queue}`),
            ...admitted.map(
              (each) => `${match(each)} meta mark set meta mark & ${others} | ${hex(admittedMark)}`,
            ),
            ...devices.map((device) => `iifname "${device}" goto arriving`),
          ]),
        ]),
    ...(queued.length === 0
      ? []
      : [
          chain('strangers', [
            'type filter hook prerouting priority mangle; policy accept;',
            ...new Set(queued.map((each) => `${protocolOf(each)} ${toHere} counter drop`)),
          ]),
        ]),
    ...(segmentSizes.length === 0
      ? []
      : [
          chain('output', [
            'type filter hook output priority mangle; policy accept;',
            ...segmentSizes.map(
              ({ vip, mss }) =>
                `${ip(vip)} saddr ${vip} tcp flags & (syn | ack) == syn | ack tcp option maxseg size > ${mss} tcp option maxseg size set ${mss}`,
            ),
          ]),
        ]),
  ];
  return `${nftRemoval(holder)}table inet ${rulePrefix(holder)} {\n${chains.join('')}}\n`;
}

function arriving({ vips }: TunnelRules): string[] {
  return [
    `meta mark & ${hex(markMask)} != ${hex(admittedMark)} counter drop`,
    `meta mark set meta mark & ${others}`,
    ...vips.map((vip) => `${ip(vip)} daddr ${vip} return`),
    'counter drop',
  ];
}

function match(admission: Admission): string {
  return `${ip(admission.from)} saddr ${admission.from} meta l4proto ${admission.protocol} ${toHere}`;
}

function protocolOf({ family, protocol }: Admission): string {
  return `meta nfproto ipv${family} meta l4proto ${protocol}`;
}

function ip(address: string): 'ip' | 'ip6' {
  return familyOf(address) === 4 ? 'ip' : 'ip6';
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
