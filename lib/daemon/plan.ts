/**
 * What a reload would do, worked out on copies: nothing of the instance changes. The pools that are tried out are real
 * ones, with the health, weights and wishes that the running ones have now; a backend that is new counts as up.
 */
import type { Backend } from '../balance/backend.ts';
import type { BackendPool } from '../balance/pool.ts';
import { diffBackends, diffInstances } from '../config/diff.ts';
import { buildMaglev } from '../hash/maglev.ts';
import { SipHash } from '../hash/siphash.ts';
import { compareTables, type OwnedTable } from '../hash/table-change.ts';
import { noticeMs } from '../health/schedule.ts';
import { formatListen } from '../model/address.ts';
import { ipFamily } from '../model/ip.ts';
import type { BackendsPlan, FlowFate, FlowsPlan, ServicePlan, SlotsPlan } from '../model/plan.ts';
import type { BackendSpec, BalanceName, InstanceSpec, ServiceSpec } from '../model/spec.ts';
import { fatesBetween } from './flow-fates.ts';
import type { Addresses } from './resolve.ts';
import type { FlowGroup, RunningService } from './running-service.ts';

export interface ServicesPlan {
  readonly services: readonly ServicePlan[];
  readonly flows: FlowsPlan;
}

const mostExamples = 5;

/** Policies whose table says where a flow goes. */
const placedByTable: readonly BalanceName[] = ['maglev', 'source'];

/** Of the way from `current`, which `services` serve, to `next`, whose hosts are at `addresses`. */
export function planServices(
  current: InstanceSpec,
  next: InstanceSpec,
  services: ReadonlyMap<string, RunningService>,
  addresses: Addresses,
): ServicesPlan {
  const foretell = fatesBetween(services, next, addresses);
  const sources = new Set(Array.from(services.values(), ({ flowSource }) => flowSource));
  const fates = [...sources]
    .flatMap((source) => source.groups(mostExamples))
    .flatMap((group): FatedGroup[] => {
      const fate = foretell(group);
      return fate === undefined ? [] : [{ ...group, fate }];
    });
  const flowsOf = (name: string) => countFlows(fates.filter(({ service }) => service === name));
  const slotsOf = (old: ServiceSpec, service: ServiceSpec): SlotsPlan | null =>
    old.mode !== service.mode || old.balance !== service.balance || !placedByTable.includes(service.balance)
      ? null
      : compareSlots(services.get(old.name)!.pool, service, addresses, new SipHash(current.hashSeed));

  const { added, changed, removed } = diffInstances(current, next);
  return {
    services: [
      ...added.map((service) => ({
        ...describe('added', service),
        backends: planBackends([], service.backends),
        slots: null,
        flows: countFlows([]),
      })),
      ...changed.map(([old, service, parts]) => ({
        ...describe('changed', service),
        parts,
        backends: planBackends(old.backends, service.backends),
        slots: slotsOf(old, service),
        flows: flowsOf(service.name),
      })),
      ...removed.map((service) => ({
        ...describe('removed', service),
        backends: planBackends(service.backends, []),
        slots: null,
        flows: flowsOf(service.name),
      })),
    ],
    flows: countFlows(fates),
  };
}

interface FatedGroup extends FlowGroup {
  readonly fate: FlowFate;
}

function describe<Change extends ServicePlan['change']>(change: Change, { name, mode, listen }: ServiceSpec) {
  return { name, change, mode, listen: listen.map(formatListen).join(','), parts: [] };
}

function planBackends(current: readonly BackendSpec[], next: readonly BackendSpec[]): BackendsPlan {
  const { added, removed, reweighted } = diffBackends(current, next);
  return {
    added: added.map(({ name }) => name),
    removed: removed.map(({ name }) => name),
    changed: reweighted.map(([from, to]) => ({
      name: to.name,
      weight: { from: from.weight, to: to.weight },
    })),
  };
}

function countFlows(groups: readonly FatedGroup[]): FlowsPlan {
  const count = (...fates: readonly FlowFate[]): number =>
    groups.reduce((sum, { fate, flows }) => (fates.includes(fate) ? sum + flows : sum), 0);
  return {
    live: count('stay', 'move', 'cut'),
    stay: count('stay'),
    move: count('move'),
    cut: count('cut'),
    examples: groups
      .filter(({ fate }) => fate !== 'stay')
      .flatMap(({ fate, examples }) => examples.map((flow, turn) => ({ flow, fate, turn })))
      // One of each group before the second of any.
      .sort((one, other) => one.turn - other.turn)
      .slice(0, mostExamples)
      .map(({ flow: { protocol, client, vip, backend }, fate }) => ({
        protocol,
        client,
        vip,
        backend,
        fate,
      })),
  };
}

/** The tables before and after; mode nat has one for each family of addresses. */
function compareSlots(
  pool: BackendPool,
  { mode, backends, balance, whenAllDown, check }: ServiceSpec,
  addresses: Addresses,
  hash: SipHash,
): SlotsPlan {
  const next = pool.copy();
  next.update(backends, { balance, whenAllDown, noticeMs: noticeMs(check), maxConnections: 0 }, 0);
  // Of those that are new nobody has looked the address up yet.
  const familyOf = ({ host, address }: Backend): number =>
    mode === 'nat' ? ipFamily(address) || ipFamily(addresses(host)) : 0;
  const families = new Set([...pool.candidates, ...next.candidates].map(familyOf));
  const total = { slots: 0, moved: 0, unavoidable: 0 };
  for (const family of families) {
    const tableOf = ({ candidates }: BackendPool): OwnedTable => {
      const own = candidates.filter((backend) => familyOf(backend) === family);
      return { table: buildMaglev(own, hash), names: own.map(({ name }) => name) };
    };
    const change = compareTables(tableOf(pool), tableOf(next));
    total.slots += change.slots;
    total.moved += change.moved;
    total.unavoidable += change.unavoidable;
  }
  return total;
}
