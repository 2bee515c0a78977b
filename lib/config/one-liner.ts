/**
 * The arguments of `sluice proxy` and `sluice nat` as the configuration file they stand for, and so the same words,
 * limits and defaults: one service, which has the name of its instance.
 */
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { CheckTiming, InstanceSpec, Mode } from '../model/spec.ts';
import { defaultCheck, parseCheck } from './check.ts';
import { timingSchema } from './check-table.ts';
import { explain, type Finding } from './explain.ts';
import { natFindings } from './nat-findings.ts';
import { natPathSchema } from './nat-keys.ts';
import { readInstance } from './read.ts';

/** As the command line has them: durations, addresses and checks are text. What is undefined was not given. */
interface ServiceArguments {
  readonly listen: string;
  readonly backends: readonly string[];
  readonly balance?: string | undefined;
  readonly check?: string | undefined;
  readonly checkInterval?: string | undefined;
  readonly checkTimeout?: string | undefined;
  readonly rise?: number | undefined;
  readonly fall?: number | undefined;
  readonly whenAllDown?: string | undefined;
  readonly name?: string | undefined;
  readonly control?: string | undefined;
  readonly metrics?: string | undefined;
  readonly drain?: string | undefined;
}

export interface ProxyArguments extends ServiceArguments {
  readonly connectTimeout?: string | undefined;
  readonly retries?: number | undefined;
  readonly idleTimeout?: string | undefined;
  readonly halfCloseTimeout?: string | undefined;
  readonly maxConnections?: number | undefined;
  readonly queueLength?: number | undefined;
  readonly queueTimeout?: string | undefined;
  readonly udpIdleTimeout?: string | undefined;
  readonly udpAnswers?: number | undefined;
  readonly udpMaxSessions?: number | undefined;
}

/** What the command line says of the packet path. */
export interface NatPathArguments {
  readonly workers?: number | undefined;
  readonly snatPorts?: string | undefined;
  readonly maxFlows?: number | undefined;
  readonly onFailure?: string | undefined;
  readonly addVip?: string | undefined;
}

export interface NatArguments extends ServiceArguments, NatPathArguments {
  readonly snat?: string | undefined;
  readonly whenDown?: string | undefined;
}

/**
 * The instance that the arguments of `sluice proxy` ask for.
 * @throws {SluiceError} with the exit code of a usage error; its place is the option that is wrong, if it is one.
 */
export function instanceFromArguments(given: ProxyArguments): InstanceSpec {
  return readOneLiner('proxy', given, {
    'connect-timeout': given.connectTimeout,
    retries: given.retries,
    'idle-timeout': given.idleTimeout,
    'half-close-timeout': given.halfCloseTimeout,
    'max-connections': given.maxConnections,
    'queue-length': given.queueLength,
    'queue-timeout': given.queueTimeout,
    'udp-idle-timeout': given.udpIdleTimeout,
    'udp-answers': given.udpAnswers,
    'udp-max-sessions': given.udpMaxSessions,
  });
}

/** The same for the arguments of `sluice nat`. */
export function natInstanceFromArguments(given: NatArguments): InstanceSpec {
  const ofService = { snat: given.snat, 'when-down': given.whenDown };
  return readOneLiner('nat', given, ofService, natPathKeys(given));
}

/**
 * A specification in which what the command line says of the packet path wins.
 * @throws {SluiceError} as `instanceFromArguments` does.
 */
export function withNatPath(spec: InstanceSpec, given: NatPathArguments): InstanceSpec {
  const { data, error } = natPathSchema.safeParse(natPathKeys(given), { reportInput: true });
  if (data === undefined) throw refusal(explain(error.issues)[0]!);
  const nat = {
    ...spec.nat,
    ...(given.workers === undefined ? {} : { workers: data.workers }),
    ...(given.snatPorts === undefined ? {} : { snatPorts: data.snatPorts }),
    ...(given.maxFlows === undefined ? {} : { maxFlows: data.maxFlows }),
    ...(given.onFailure === undefined ? {} : { onFailure: data.onFailure }),
    ...(data.addVip === undefined ? {} : { addVip: data.addVip }),
  };
  const [finding] = natFindings(spec.services, nat);
  if (finding !== undefined) throw refusal(finding);
  return { ...spec, nat };
}

function natPathKeys(given: NatPathArguments) {
  return {
    workers: given.workers,
    'snat-ports': given.snatPorts,
    'max-flows': given.maxFlows,
    'on-failure': given.onFailure,
    ...(given.addVip === undefined ? {} : { 'add-vip': given.addVip }),
  };
}

function readOneLiner(
  mode: Mode,
  given: ServiceArguments,
  ofService: object,
  nat: object = {},
): InstanceSpec {
  const name = given.name ?? mode;
  const { spec, findings } = readInstance({
    name,
    ...(given.control === undefined ? {} : { control: given.control }),
    ...(given.metrics === undefined ? {} : { metrics: given.metrics }),
    drain: given.drain,
    nat,
    services: [
      {
        name,
        mode,
        listen: given.listen,
        balance: given.balance,
        backends: given.backends,
        'when-all-down': given.whenAllDown,
        ...ofService,
      },
    ],
  });
  if (spec === undefined) throw refusal(findings[0]!);
  const timing = checkTiming(given);
  return {
    ...spec,
    services: spec.services.map((service) => ({
      ...service,
      check: parseCheck(given.check ?? defaultCheck(service.listen), timing),
    })),
  };
}

function checkTiming({ checkInterval, checkTimeout, rise, fall }: ServiceArguments): CheckTiming {
  const keys = { interval: checkInterval, timeout: checkTimeout, rise, fall };
  const { data, error } = timingSchema.safeParse(keys, { reportInput: true });
  if (data !== undefined) return data;
  throw refusal(explain(error.issues)[0]!);
}

/** Keys whose option has another name, or that are no option. */
const options: Readonly<Record<string, string | undefined>> = {
  listen: undefined,
  backends: undefined,
  interval: '--check-interval',
  timeout: '--check-timeout',
};

function refusal({ message, remedy, path }: Finding): SluiceError {
  const key = String(path.findLast((step) => typeof step === 'string'));
  const option = key in options ? options[key] : `--${key}`;
  return new SluiceError('ERR_SLUICE_USAGE', message, {
    exitCode: ExitCode.usage,
    ...(remedy === undefined ? {} : { remedy }),
    ...(option === undefined ? {} : { place: option }),
  });
}
