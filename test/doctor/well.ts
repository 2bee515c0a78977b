/** A machine on which nothing is in the way, as facts, and something that it is to serve. */
import type { Case } from '../../lib/doctor/check.ts';
import type { Facts } from '../../lib/doctor/facts.ts';
import type { Finding } from '../../lib/doctor/finding.ts';
import type { DoctorMode } from '../../lib/doctor/modes.ts';
import { noSubject, type PathAsked, type ServedService, type Subject } from '../../lib/doctor/subject.ts';

export const well: Facts = {
  platform: 'linux',
  process: { uid: 0, status: 'CapEff:\t000001ffffffffff\n', openFiles: 1_048_576, firstOpenPort: 1_024 },
  kernel: {
    release: '6.1.0-18-amd64',
    distributions: ['debian'],
    queueError: undefined,
    hasQueueModule: true,
    tools: new Set(['ip', 'nft', 'iptables']),
    ruleTool: 'nft',
    ruleComplaint: '',
    canSpread: true,
    rawSocketError: undefined,
    tunnels: { gre: true, ip6gre: true, ipip: true, ip6tnl: true },
    hasTun: true,
  },
  settings: {
    settings: [{ path: 'net/ipv4/conf/eth0/forwarding', current: '1', wanted: '1', why: '' }],
    reliedOn: new Set(),
    writable: true,
    sharedPorts: [],
    reservedPorts: '',
    tracking: { count: 0, limit: 1_000 },
  },
  rules: { chains: [], ours: new Map() },
  leftovers: { changes: [], void: 0, answeredFor: new Set() },
  links: [
    {
      name: 'eth0',
      mtu: 1_500,
      addresses: [{ address: '10.1.0.1', isDuplicate: false }],
      mergesPackets: false,
    },
  ],
  defaultLinks: ['eth0'],
  routes: new Map([
    ['10.1.0.1', { isLocal: true, link: 'lo', gateway: undefined, source: '10.1.0.1' }],
    ['10.2.0.2', { isLocal: false, link: 'eth1', gateway: undefined, source: '10.2.0.1' }],
  ]),
  paths: new Map([['10.2.0.2', { mtu: 1_500, isBlackHole: false }]]),
  vips: new Map([['10.1.0.1', { own: 'eth0', link: 'eth0', holder: undefined, holderAddress: undefined }]]),
  listeners: [],
  tunnelEnds: [
    { name: 'backend', trials: [{ vip: '192.0.2.10', from: '10.0.0.1', arrived: true }], dropped: undefined },
  ],
};

export const service: ServedService = {
  name: 'web',
  mode: 'nat',
  vips: [{ protocol: 'tcp', address: '10.1.0.1', port: 80 }],
  backends: [{ address: '10.2.0.2', port: 8080 }],
  keepsClient: false,
  encapsulation: undefined,
};

/** The case of a mode that serves one thing, with facts that are other than well. */
export function caseOf(
  mode: DoctorMode,
  facts: Partial<Facts> = {},
  subject: Partial<Subject> = {},
  asked: PathAsked = {},
): Case {
  return {
    mode,
    facts: { ...well, ...facts },
    subject: {
      ...noSubject,
      services: [{ ...service, encapsulation: mode === 'dsr' ? 'gre' : undefined }],
      ...subject,
    },
    asked: { snatPorts: [61_000, 65_535], probePorts: [26_624, 28_671], ...asked },
  };
}

/** Verdict and detail of each finding, to be read at a glance. */
export function told(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ verdict, detail }) => `${verdict}: ${detail}`);
}
