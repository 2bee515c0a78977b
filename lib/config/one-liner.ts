/**
 * The arguments of `sluice proxy`, `nat` and `dsr` as the configuration file they stand for, and so the same words,
 * limits and defaults: one service, which has the name of its instance.
 */
import type { z } from 'zod';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { CheckTiming, InstanceSpec, Mode } from '../model/spec.ts';
import { defaultCheck, parseCheck } from './check.ts';
import { timingSchema } from './check-table.ts';
import { dsrFindings } from './dsr-findings.ts';
import { dsrPathSchema } from './dsr-keys.ts';
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

/** What the command line says of a packet path. */
interface PathArguments {
  readonly workers?: number | undefined;
  readonly maxFlows?: number | undefined;
  readonly onFailure?: string | undefined;
  readonly addVip?: string | undefined;
}

interface NatPathArguments extends PathArguments {
  readonly snatPorts?: string | undefined;
}

interface DsrPathArguments extends PathArguments {
  readonly probePorts?: string | undefined;
  readonly newFlows?: number | undefined;
}

export interface NatArguments extends ServiceArguments, NatPathArguments {
  readonly snat?: string | undefined;
  readonly whenDown?: string | undefined;
}

export interface DsrArguments extends ServiceArguments, DsrPathArguments {
  readonly encap?: string | undefined;
  readonly outerSource?: string | undefined;
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
  return readOneLiner('nat', given, ofService, { nat: natPathKeys(given) });
}

/** The same for the arguments of `sluice dsr`. */
export function dsrInstanceFromArguments(given: DsrArguments): InstanceSpec {
  const ofService = { encap: given.encap, 'outer-source': given.outerSource };
  return readOneLiner('dsr', given, ofService, { dsr: dsrPathKeys(given) });
}

/**
 * A specification in which what the command line says of the packet paths wins, for all modes that have one.
 * @throws {SluiceError} as `instanceFromArguments` does.
 */
export function withPaths(spec: InstanceSpec, given: NatPathArguments & DsrPathArguments): InstanceSpec {
  const nat = { ...spec.nat, ...givenKeys(given, readKeys(natPathSchema, natPathKeys(given))) };
  const dsr = { ...spec.dsr, ...givenKeys(given, readKeys(dsrPathSchema, dsrPathKeys(given))) };
  const [finding] = [...natFindings(spec.services, nat), ...dsrFindings(spec.services, { nat, dsr })];
  if (finding !== undefined) throw refusal(finding);
  return { ...spec, nat, dsr };
}

/** Of what was read, with the defaults in it, the keys that were given. */
function givenKeys<Spec extends object>(given: object, spec: Spec): Partial<Spec> {
  const names = new Set(Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [key])));
  return Object.fromEntries(Object.entries(spec).filter(([key]) => names.has(key))) as Partial<Spec>;
}

function readKeys<Spec>(schema: z.ZodType<Spec>, keys: object): Spec {
  const { data, error } = schema.safeParse(keys, { reportInput: true });
  if (error !== undefined) throw refusal(explain(error.issues)[0]!);
  return data;
}

function natPathKeys(given: NatPathArguments) {
  return { ...pathKeys(given), 'snat-ports': given.snatPorts };
}

function dsrPathKeys(given: DsrPathArguments) {
  return { ...pathKeys(given), 'probe-ports': given.probePorts, 'new-flows': given.newFlows };
}

function pathKeys(given: PathArguments) {
  return {
    workers: given.workers,
    'max-flows': given.maxFlows,
    'on-failure': given.onFailure,
    ...(given.addVip === undefined ? {} : { 'add-vip': given.addVip }),
  };
}

function readOneLiner(
  mode: Mode,
  given: ServiceArguments,
  ofService: object,
  paths: object = {},
): InstanceSpec {
  const name = given.name ?? mode;
  const { spec, findings } = readInstance({
    name,
    ...(given.control === undefined ? {} : { control: given.control }),
    ...(given.metrics === undefined ? {} : { metrics: given.metrics }),
    drain: given.drain,
    ...paths,
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
  const services = spec.services.map((service) => ({
    ...service,
    check: parseCheck(given.check ?? defaultCheck(service.listen), timing),
  }));
  const [finding] = dsrFindings(services, spec);
  if (finding !== undefined) throw refusal(finding);
  return { ...spec, services };
}

function checkTiming({ checkInterval, checkTimeout, rise, fall }: ServiceArguments): CheckTiming {
  const keys = { interval: checkInterval, timeout: checkTimeout, rise, fall };
  return readKeys(timingSchema, keys);
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
