/**
 * The configuration file, key by key: what may stand in it, what it means and what holds when it is left out.
 * Types, errors and the published JSON Schema all come from here; what is read is the model's `InstanceSpec`.
 */
import { z } from 'zod';
import {
  formatBackend,
  parseBackend,
  parseBackendAddress,
  parseHostPort,
  parseListen,
} from '../model/address.ts';
import { formatDuration } from '../model/duration.ts';
import { usageError } from '../model/errors.ts';
import {
  allDownPolicies,
  type BackendSpec,
  balanceNames,
  defaultCheckTiming,
  defaultDrainMs,
  defaultHashSeed,
  defaultProxySpec,
  type InstanceSpec,
  type ServiceSpec,
} from '../model/spec.ts';
import { defaultCheck, parseCheck } from './check.ts';
import { checkTable, checkText } from './check-table.ts';
import { dsrPathSchema, dsrServiceKeys } from './dsr-keys.ts';
import { anyText, count, table, text, time, timeOrZero } from './kinds.ts';
import type { ModeKeys } from './mode-keys.ts';
import { natPathSchema, natServiceKeys } from './nat-keys.ts';

const label = text((value) => {
  if (/^[a-z\d][\w.-]{0,63}$/i.test(value)) return value;
  throw usageError(
    `${JSON.stringify(value)} is not a name`,
    'use up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first',
  );
});

const backendName = text((value) => {
  if (/^[^\s\p{C}]{1,255}$/u.test(value)) return value;
  throw usageError(
    `${JSON.stringify(value)} is not a backend's name`,
    'use up to 255 characters, none of them blank',
  );
});

const hashSeedPattern = /^[\da-fA-F]{32}$/;

const hashSeed = text((value) => {
  if (hashSeedPattern.test(value)) return value.toLowerCase();
  throw usageError(`${JSON.stringify(value)} is not a seed`, 'write 32 hexadecimal digits, in quotes');
}, hashSeedPattern);

// Whether a port is needed depends on the mode of the service: see backend-ports.ts.
const address = text((value) => parseBackendAddress(value, 'optional'));

const backend = z.union([
  text((value) => parseBackend(value, 'optional')),
  table({
    address: address.describe('HOST:PORT, or HOST for mode dsr; IPv6 in brackets.'),
    weight: z.int().min(0).max(65_535).prefault(1).describe('Its share of new flows; 0 takes none.'),
    name: backendName
      .optional()
      .describe('Its identity across reloads and in every hash; the address when absent.'),
  }).transform(
    ({ address, weight, name }): BackendSpec => ({
      name: name ?? formatBackend(address.host, address.port),
      ...address,
      weight,
    }),
  ),
]);

const listen = text(parseListen);

/** The policy of a service that names none: a flow that is forgotten comes back to where it was. */
const usualBalance = { proxy: 'round-robin', nat: 'maglev', dsr: 'maglev' } as const;

const usual = defaultProxySpec;

const limits = {
  'connect-timeout': time(usual.connectTimeoutMs, 'How long a backend may take to accept.'),
  retries: count(0, usual.retries, 'Further backends tried before the first byte.'),
  'idle-timeout': time(usual.idleTimeoutMs, 'Closes a connection on which no byte moved for so long.'),
  'half-close-timeout': time(usual.halfCloseTimeoutMs, 'The same once one side has finished.'),
  'max-connections': count(0, usual.maxConnectionsPerBackend, 'At once to each backend; 0 is no limit.'),
  'queue-length': count(0, usual.queueLength, 'Clients that may wait for a backend to have room.'),
  'queue-timeout': time(usual.queueTimeoutMs, 'How long they may wait.'),
  'udp-idle-timeout': time(usual.udpIdleTimeoutMs, 'Ends a UDP session that was silent for so long.'),
  'udp-answers': count(0, usual.udpAnswers, 'Ends a UDP session after so many answers; 0 is never.'),
  'udp-max-sessions': count(1, usual.udpMaxSessions, 'UDP sessions at once.'),
};

const serviceTable = table({
  name: label.describe('Its identity across reloads; unique in the file.'),
  mode: z
    .enum(['proxy', 'nat', 'dsr'])
    .prefault('proxy')
    .describe(
      'proxy: two conversations, with the client and with the backend; nat: packets are rewritten; dsr: they are tunnelled, and backends answer clients themselves.',
    ),
  listen: z
    .union([listen.transform((one) => [one]), z.array(listen).min(1)])
    .describe('[tcp://|udp://]HOST:PORT, :PORT for every address; one, or a list of them.'),
  balance: z
    .enum(balanceNames)
    .optional()
    .describe('How a new flow finds its backend: round-robin for mode proxy, else maglev when absent.'),
  backends: z.array(backend).min(1).describe('HOST:PORT[=WEIGHT], HOST[=WEIGHT] for mode dsr, or a map.'),
  check: z
    .union([checkText, checkTable])
    .optional()
    .describe('tcp, http:/path, https:/path, udp:HEX, exec:COMMAND, none, or a map; for TCP tcp, else none.'),
  'when-all-down': z.enum(allDownPolicies).prefault('reject').describe('What becomes of a new client then.'),
  ...limits,
  ...natServiceKeys,
  ...dsrServiceKeys,
});

/** What has a meaning in one mode only. */
export const modeKeys: ModeKeys = {
  proxy: Object.keys(limits),
  nat: Object.keys(natServiceKeys),
  dsr: Object.keys(dsrServiceKeys),
};

function toService(file: z.output<typeof serviceTable>): ServiceSpec {
  return {
    name: file.name,
    mode: file.mode,
    listen: file.listen,
    balance: file.balance ?? usualBalance[file.mode],
    backends: file.backends,
    check: file.check ?? parseCheck(defaultCheck(file.listen), defaultCheckTiming),
    whenAllDown: file['when-all-down'],
    proxy: {
      connectTimeoutMs: file['connect-timeout'],
      retries: file.retries,
      idleTimeoutMs: file['idle-timeout'],
      halfCloseTimeoutMs: file['half-close-timeout'],
      maxConnectionsPerBackend: file['max-connections'],
      queueLength: file['queue-length'],
      queueTimeoutMs: file['queue-timeout'],
      udpIdleTimeoutMs: file['udp-idle-timeout'],
      udpAnswers: file['udp-answers'],
      udpMaxSessions: file['udp-max-sessions'],
    },
    nat: { snat: file.snat, whenDown: file['when-down'] },
    dsr: { encapsulation: file.encap, outerSource: file['outer-source'] },
  };
}

export const serviceSchema = serviceTable.transform(toService);

const instanceTable = table({
  name: label.prefault('up').describe('Of this instance; it names the control socket.'),
  control: anyText.exactOptional().describe('Path of the control socket.'),
  metrics: text((value) => parseHostPort(value, 'bind'))
    .exactOptional()
    .describe('HOST:PORT that serves /metrics, /livez and /readyz.'),
  drain: timeOrZero
    .prefault(formatDuration(defaultDrainMs))
    .describe('How long a stop, or a backend taken out, waits for its connections.'),
  'hash-seed': hashSeed
    .prefault(defaultHashSeed)
    .describe('32 hexadecimal digits; instances with the same seed place flows alike.'),
  nat: natPathSchema.prefault({}).describe('The packet path that all services of mode nat share.'),
  dsr: dsrPathSchema.prefault({}).describe('The packet path that all services of mode dsr share.'),
  services: z.array(serviceSchema).min(1).describe('What is balanced.'),
});

export const instanceSchema = instanceTable.transform(
  ({ 'hash-seed': hashSeed, drain: drainMs, ...others }): InstanceSpec => ({ ...others, drainMs, hashSeed }),
);
