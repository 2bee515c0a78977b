/** Flags that several commands share, in the groups that belong together. */
import { encapsulations } from '../model/encapsulation.ts';
import { logLevels } from '../model/log.ts';
import {
  allDownPolicies,
  balanceNames,
  defaultDsrPathSpec,
  defaultNatPathSpec,
  onFailurePolicies,
  whenDownPolicies,
} from '../model/spec.ts';
import type { Flags } from './command.ts';
import { logFormats } from './log.ts';

/** Colour; every command has it. */
export const outputFlags = {
  'no-color': {
    type: 'boolean',
    describe: 'Never colour the output (as NO_COLOR does; FORCE_COLOR is the opposite)',
  },
} as const satisfies Flags;

export const jsonFlag = {
  json: { type: 'boolean', describe: 'Print JSON for scripts' },
} as const satisfies Flags;

/** Which running instance a command speaks to. */
export const remoteFlags = {
  name: { type: 'string', describe: 'The instance by its name; needless while only one runs' },
  control: { type: 'string', describe: 'The instance by its control socket (a path)' },
  ...jsonFlag,
  ...outputFlags,
} as const satisfies Flags;

/** What an instance is asked to be, beyond its services. */
export const instanceFlags = {
  name: { type: 'string', describe: 'Name of the instance; it names the control socket' },
  control: { type: 'string', describe: 'Path of the control socket' },
  metrics: { type: 'string', describe: 'Serve /metrics, /livez and /readyz at HOST:PORT' },
  drain: {
    type: 'string',
    describe: 'How long a stop, or a backend taken out, waits for connections: 10s unless given',
  },
} as const satisfies Flags;

/** How an instance runs in the foreground. */
export const foregroundFlags = {
  for: { type: 'string', describe: 'Stop by itself after this time: 30s, 5m' },
  'no-tui': { type: 'boolean', describe: 'Print lines, show no dashboard' },
  'log-level': { type: 'string', choices: logLevels, describe: `${logLevels.join(', ')}: info unless given` },
  'log-format': { type: 'string', choices: logFormats, describe: 'text or json: text unless given' },
  ...jsonFlag,
  ...outputFlags,
} as const satisfies Flags;

/** How a service of any mode balances and checks. Names and meanings are those of the configuration file. */
export const balanceFlags = {
  balance: {
    type: 'string',
    choices: balanceNames,
    describe: `How a new client finds its backend: ${balanceNames.join(', ')}; round-robin unless given, maglev in modes nat and dsr`,
  },
  check: {
    type: 'string',
    describe:
      'How backends are checked: tcp, http:/PATH, https:/PATH, udp:HEX[/HEX], exec:COMMAND, none; tcp unless given, none for UDP',
  },
  'check-interval': { type: 'string', describe: 'Time between two checks: 1s unless given' },
  'check-timeout': { type: 'string', describe: 'How long a check may take: 500ms unless given' },
  rise: { type: 'number', describe: 'Successes in a row that bring a backend up: 2 unless given' },
  fall: { type: 'number', describe: 'Failures in a row that take it down: 3 unless given' },
  'when-all-down': {
    type: 'string',
    choices: allDownPolicies,
    describe: `What becomes of new clients when every backend is down: ${allDownPolicies.join(', ')}; reject unless given`,
  },
} as const satisfies Flags;

/** The limits of a service of mode proxy. */
export const proxyFlags = {
  'connect-timeout': { type: 'string', describe: 'How long a backend may take to accept: 2s unless given' },
  retries: { type: 'number', describe: 'Further backends tried before the first byte: 2 unless given' },
  'idle-timeout': { type: 'string', describe: 'Close connections silent for so long: 5m unless given' },
  'half-close-timeout': {
    type: 'string',
    describe: 'The same once one side has finished: 1m unless given',
  },
  'max-connections': {
    type: 'number',
    describe: 'Connections that each backend holds at once; 0, the default, is no limit',
  },
  'queue-length': {
    type: 'number',
    describe: 'Clients that may wait for a backend to have room: 1024 unless given',
  },
  'queue-timeout': { type: 'string', describe: 'How long they may wait: 5s unless given' },
  'udp-idle-timeout': { type: 'string', describe: 'End UDP sessions silent for so long: 30s unless given' },
  'udp-answers': {
    type: 'number',
    describe: 'End a UDP session after so many answers; 0, the default, is never',
  },
  'udp-max-sessions': { type: 'number', describe: 'UDP sessions held at once: 65536 unless given' },
} as const satisfies Flags;

/** How the packets of a service of mode nat are rewritten. */
export const natFlags = {
  snat: {
    type: 'string',
    describe:
      'The source that backends see: auto (an address of this machine), ADDRESS[,ADDRESS]..., or none for the client; auto unless given',
  },
  'when-down': {
    type: 'string',
    choices: whenDownPolicies,
    describe: `What becomes of the TCP flows of a backend that goes down: ${whenDownPolicies.join(', ')}; reset unless given`,
  },
} as const satisfies Flags;

const { snatPorts, maxFlows, workers } = defaultNatPathSpec;
const { probePorts, newFlows } = defaultDsrPathSpec;

/** The packet path that all services of one mode of an instance share. */
const pathFlags = {
  workers: { type: 'number', describe: `Threads that packets go through: ${workers} unless given` },
  'max-flows': { type: 'number', describe: `Flows tracked at once: ${maxFlows} unless given` },
  'on-failure': {
    type: 'string',
    choices: onFailurePolicies,
    describe: `What becomes of packets while nobody decides over them: ${onFailurePolicies.join(', ')}; drop unless given`,
  },
  'add-vip': {
    type: 'string',
    describe: 'Interface to put VIPs on that this machine lacks, announced there and removed at exit',
  },
} as const satisfies Flags;

/** That of mode nat. */
export const natPathFlags = {
  ...pathFlags,
  'snat-ports': {
    type: 'string',
    describe: `Ports that rewritten packets leave from, and nothing else may use: ${snatPorts.join('-')} unless given`,
  },
} as const satisfies Flags;

/** That of mode dsr. */
export const dsrPathFlags = {
  ...pathFlags,
  'probe-ports': {
    type: 'string',
    describe: `Ports that checks leave from, and nothing else may use: ${probePorts.join('-')} unless given`,
  },
  'new-flows': {
    type: 'number',
    describe: `New flows that a thread remembers in a second: ${newFlows} unless given; the others go by hash`,
  },
} as const satisfies Flags;

/** How the packets of a service of mode dsr reach its backends. */
export const dsrFlags = {
  encap: {
    type: 'string',
    choices: encapsulations,
    describe: 'How packets reach the backends: gre, ipip, or l2 on the same link; gre unless given',
  },
  'outer-source': {
    type: 'string',
    describe:
      'What tunnels begin at: auto (an address of this machine), ADDRESS, or NETWORK/BITS to vary it by flow; auto unless given',
  },
} as const satisfies Flags;
