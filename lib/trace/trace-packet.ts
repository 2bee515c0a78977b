/**
 * The way of one flow through a packet path, found by sending a packet of it through the path's own code:
 *
 *   five-tuple ─▶ probe ─▶ rule ─▶ Rig: tracked? placed? rewritten? ─▶ verdict, bytes
 *                            └───▶ Picker: slot, candidates
 */
import { Count, type FlowRows, tickMs, Word, wordShift } from '../conntrack/flow-rows.ts';
import { bytesOf, packetsOf } from '../conntrack/flow-traffic.ts';
import { flowStateNames } from '../conntrack/states.ts';
import { selectorOf, workerOf } from '../datapath/kernel/selection.ts';
import type { Selector } from '../datapath/kernel/selectors.ts';
import { Picker } from '../datapath/pick.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import { Verdict } from '../forward/batch.ts';
import type { ReasonName } from '../forward/reasons.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { slotsOf } from '../hash/table-change.ts';
import { formatHostPort } from '../model/address.ts';
import type { Random } from '../model/clock.ts';
import { ipFamily } from '../model/ip.ts';
import type { Mode } from '../model/spec.ts';
import type {
  TraceCandidate,
  TraceFlow,
  TracePlacement,
  TraceRewriting,
  TraceRule,
  TraceView,
} from '../model/trace.ts';
import type { BackendView } from '../model/view.ts';
import { formatAddress } from '../packet/address.ts';
import { Packet } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { changesBetween } from './fields.ts';
import { describePacket, describeTunnel } from './packet-text.ts';
import { probePacket } from './probe.ts';
import { type Outcome, Rig } from './rig.ts';
import { packetsAfter, verdictOf } from './verdict.ts';

/** Whose path it is. */
export interface Subject {
  readonly instance: string;
  readonly running: boolean;
  readonly mode: Mode;
  /** Of all its services. */
  readonly backends: readonly BackendView[];
}

/** The same for the same question: a policy that draws always draws the first. */
const noChance: Random = () => 0;

/** Reasons of packets that go where their flow goes. */
const towardsBackend: readonly ReasonName[] = ['forwarded', 'delivered', 'sent-apart', 'marked'];

type KnownVip = PathSnapshot['vips'][number];

/** Undefined if no rule brings the flow's packets to the path. `snapshot` has the flow, if it is tracked, and no other. */
export function tracePacket(
  snapshot: PathSnapshot,
  tuple: FlowTuple,
  subject: Subject,
): TraceView | undefined {
  const [tracked] = snapshot.flows;
  const probe = probePacket(tuple, tracked === undefined);
  const packet = new Packet();
  const view = new DataView(probe.buffer);
  parsePacket(packet, view, 0, probe.length);
  const selector = selectorOf(snapshot.rules.selectors, packet, view);
  if (selector === undefined) return undefined;

  const assigned = workerOf(selector, snapshot.rules, snapshot.tool, packet, view);
  const worker = tracked?.worker ?? assigned ?? 0;
  const rig = new Rig({ snapshot, worker, room: 1, random: noChance });
  const flow = tracked === undefined ? null : describeFlow(rig, packet, worker, snapshot);
  const [outcome] = rig.send(1, probe, snapshot.nowMs);
  const rewriting = describeRewriting(probe, outcome!, rig.rows);
  const known = snapshot.vips.find(({ vip }) => isVip(vip, tuple));
  return {
    protocol: tuple.protocol,
    client: formatHostPort(tuple.clientAddress, tuple.clientPort),
    vip: formatHostPort(tuple.vipAddress, tuple.vipPort),
    instance: subject.instance,
    running: subject.running,
    mode: subject.mode,
    service: (known ?? servedBy(flow, snapshot))?.vip.service ?? null,
    epoch: snapshot.tasks[worker]!.publication.tables.generation,
    rule: describeRule(selector, assigned ?? tracked?.worker, snapshot),
    listener: null,
    flow: flow === null ? null : { ...flow, source: sourceShown(flow, rewriting) },
    ...(known === undefined
      ? { placement: null, candidates: [] }
      : describePlacement(known, packet, worker, snapshot, subject)),
    backend: towardsBackend.includes(outcome!.reason!) ? backendOf(rig, packet, snapshot) : null,
    rewriting,
    verdict: verdictOf(outcome!),
    reason: outcome!.reason!,
  };
}

function isVip({ protocol, address, port }: KnownVip['vip'], tuple: FlowTuple): boolean {
  return protocol === tuple.protocol && port === tuple.vipPort && address === tuple.vipAddress;
}

/** Who has the VIP that a flow came to. */
function servedBy(flow: TraceFlow | null, { vips }: PathSnapshot): KnownVip | undefined {
  return vips.find(({ vip }) => formatHostPort(vip.address, vip.port) === flow?.vip);
}

function describeRule(selector: Selector, worker: number | undefined, snapshot: PathSnapshot): TraceRule {
  const { rules, tool } = snapshot;
  return {
    selects: selectorText(selector),
    worker: worker ?? null,
    workers: rules.workers,
    queue: tool === undefined || worker === undefined ? null : rules.firstQueue + worker,
    tool: tool ?? null,
  };
}

function selectorText(selector: Selector): string {
  if (selector.kind !== 'ports') return `${selector.kind} at ${selector.address}`;
  const { protocol, end, address, ports } = selector;
  const [first, last] = ports;
  const range = first === last ? `port ${first}` : `ports ${first}-${last}`;
  return `${protocol} ${end === 'destination' ? 'to' : 'from'} ${address} ${range}`;
}

/** The flow as it was before the probe. */
function describeFlow(
  rig: Rig,
  packet: Packet,
  worker: number,
  { nowMs, vips, endpoints, tasks }: PathSnapshot,
): TraceFlow {
  const seesAnswers = tasks[worker]!.mode === 'nat';
  const { rows } = rig;
  const { flow, direction } = find(rig, packet);
  const vip = vips.find(({ number }) => number === rows.vipOf(flow))?.vip;
  const client = formatAddress(rows.words, (flow << wordShift) + Word.client);
  return {
    state: flowStateNames[rows.stateOf(flow)]!,
    fromClient: direction === 0,
    client: formatHostPort(client, rows.clientPortOf(flow)),
    vip: vip === undefined ? '' : formatHostPort(vip.address, vip.port),
    backend: textOf(endpoints, rows.endpointOf(flow)),
    worker,
    source: null,
    ageMs: Math.max(0, Math.round(nowMs - rows.created[flow]! * tickMs)),
    idleMs: Math.max(0, Math.round(nowMs - rows.lastSeenOf(flow) * tickMs)),
    packetsIn: packetsOf(rows, flow, 0),
    packetsOut: seesAnswers ? packetsOf(rows, flow, 1) : null,
    bytesIn: bytesOf(rows, flow, 0),
    bytesOut: seesAnswers ? bytesOf(rows, flow, 1) : null,
  };
}

/** What a backend sees is the source of what is sent to it, and where its answers go. */
function sourceShown({ fromClient }: TraceFlow, { before, after }: TraceRewriting): string | null {
  return fromClient ? (after?.source ?? null) : before.destination;
}

function find({ shard }: Rig, packet: Packet): { readonly flow: number; readonly direction: number } {
  const found = shard.tracker.find(packet, shard.tracker.hashOf(packet));
  return { flow: found >> 1, direction: found & 1 };
}

/** The backend of the flow that a packet belongs to now. */
function backendOf(rig: Rig, packet: Packet, { endpoints }: PathSnapshot): string | null {
  const { flow } = find(rig, packet);
  return flow === 0 ? null : textOf(endpoints, rig.rows.endpointOf(flow));
}

function textOf(endpoints: PathSnapshot['endpoints'], number: number): string | null {
  return endpoints.find((endpoint) => endpoint.number === number)?.text ?? null;
}

function describeRewriting(probe: Uint8Array, outcome: Outcome, rows: FlowRows): TraceRewriting {
  const { verdict, mark } = outcome;
  const [after, ...further] = packetsAfter(outcome);
  const changes = after === undefined ? [] : changesBetween(probe, after);
  const hasNewPort = changes.some(({ field }) => field === 'source port');
  return {
    before: describePacket(probe),
    after: after === undefined ? null : describePacket(after),
    changes,
    encapsulation: after === undefined ? null : describeTunnel(after),
    further: further.map(describePacket),
    mark: verdict === Verdict.marked ? mark : null,
    examplePort: hasNewPort && rows.counts[Count.opened]! > 0,
  };
}

function describePlacement(
  { number, vip, endpoints }: KnownVip,
  packet: Packet,
  worker: number,
  { tasks, loads, endpoints: names }: PathSnapshot,
  { mode, backends }: Subject,
): { readonly placement: TracePlacement; readonly candidates: readonly TraceCandidate[] } {
  const { settings, publication } = tasks[worker]!;
  const picker = new Picker({ hashSeed: settings.hashSeed, random: noChance }, loads[worker]!);
  picker.use(publication.choices);
  const { choice, slot, table } = picker.explain(number, packet)!;
  const members = choice.members.map(({ name }) => name);
  const slots = table === undefined ? undefined : slotsOf({ table, names: members });
  const chosen = picker.pick(number, packet);
  return {
    placement: {
      policy: choice.balance,
      slot: slot ?? null,
      slots: table?.length ?? null,
      backend: textOf(names, chosen),
      settled: slot !== undefined || members.length < 2,
    },
    candidates: vip.backends.flatMap(({ name, address, weight, up }, place): TraceCandidate[] => {
      const endpoint = endpoints[place]!;
      // Packets are translated within a family.
      if (endpoint === 0 || (mode === 'nat' && ipFamily(address) !== ipFamily(vip.address))) return [];
      const view = backends.find((each) => each.service === vip.service && each.name === name);
      const member = members.indexOf(name);
      return [
        {
          name,
          address: textOf(names, endpoint)!,
          weight: view?.weight ?? weight,
          state: view?.state ?? (weight === 0 ? 'draining' : up ? 'up' : 'down'),
          health: view?.health.last ?? 'unchecked',
          candidate: member >= 0,
          slots: slots === undefined ? null : (slots[member] ?? 0),
        },
      ];
    }),
  };
}
