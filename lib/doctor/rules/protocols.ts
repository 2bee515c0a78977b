/** Protocol numbers and the names that iptables and nft have for them (IANA, /etc/protocols). */

const numbers: Readonly<Record<string, number>> = {
  icmp: 1,
  ipencap: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmpv6: 58,
  sctp: 132,
};

/** The number of a protocol by its name or its number as text; undefined for one that is not known. */
export function protocolNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : numbers[text];
}

/** The name that both tools know; a number where they differ. */
export function protocolName(protocol: number): string {
  return ['tcp', 'udp', 'gre'].find((name) => numbers[name] === protocol) ?? String(protocol);
}
