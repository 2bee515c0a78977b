/** The way of a flow as people read it: a line for each step, the candidates, the bytes. 80 columns are enough. */
import { formatDuration } from '../model/duration.ts';
import type { TraceCandidate, TraceFlow, TraceRewriting, TraceRule, TraceView } from '../model/trace.ts';
import { formatCount, plural } from '../model/units.ts';
import type { Style } from './style.ts';
import { type Column, renderTable } from './table.ts';
import { byteLines } from './trace-bytes.ts';
import { statePaint } from './views.ts';

const titleWidth = 10;

/** The lines of a trace. */
export function traceLines(view: TraceView, style: Style): string[] {
  const { protocol, client, vip, candidates, rewriting } = view;
  const steps = stepsOf(view).flatMap(([title, ...lines]) =>
    lines.map((line, index) => `${style.dim((index === 0 ? title : '').padEnd(titleWidth))}${line}`),
  );
  return [
    style.bold(`${protocol} ${client} → ${vip}`),
    '',
    ...steps,
    ...(candidates.length === 0 ? [] : ['', ...candidateLines(view, style)]),
    ...(rewriting === null ? [] : ['', ...byteLines(rewriting, style)]),
  ];
}

type Step = readonly [title: string, ...lines: string[]];

function stepsOf(view: TraceView): Step[] {
  const { rule, listener, flow, rewriting, service } = view;
  return [
    ['instance', whomText(view)],
    ...(rule === null ? [] : [['rule', ruleText(rule)] as const]),
    ...(listener === null ? [] : [['listener', listener] as const]),
    ...(service === null ? [] : [['service', serviceText(view)] as const]),
    ...(view.mode === null ? [] : [['flow', ...flowLines(view, flow)] as const]),
    ...placementSteps(view),
    ...(view.backend === null ? [] : [['backend', view.backend] as const]),
    ...(rewriting === null ? [] : rewritingSteps(rewriting)),
    ['verdict', ...verdictLines(view)],
  ];
}

function whomText({ instance, running }: TraceView): string {
  return running
    ? `${instance}, which runs`
    : `${instance}, as it is configured: every backend up, no flow tracked`;
}

function ruleText({ selects, worker, workers, queue, tool }: TraceRule): string {
  const which = worker === null ? `one of ${plural(workers, 'worker')}` : `worker ${worker} of ${workers}`;
  return queue === null ? `${selects}: ${which}` : `${selects}: queue ${queue}, ${which} (${tool})`;
}

function serviceText({ service, mode, placement, epoch }: TraceView): string {
  return [service, `mode ${mode}`, placement?.policy, `epoch ${epoch}`].filter(Boolean).join(', ');
}

function flowLines({ mode, protocol, running }: TraceView, flow: TraceFlow | null): [string, ...string[]] {
  if (flow === null) {
    if (mode === 'proxy') return [running ? 'no connection is there' : 'a new connection'];
    const first = protocol === 'tcp' ? 'the SYN' : 'the datagram';
    return [`${running ? 'not tracked' : 'a new one'}: shown is ${first} that would begin it`];
  }
  const { state, fromClient, ageMs, idleMs, packetsIn, packetsOut, client, vip, source } = flow;
  const packets =
    packetsIn === null
      ? ''
      : `, ${plural(packetsIn, 'packet')} in${packetsOut === null ? '' : `, ${formatCount(packetsOut)} out`}`;
  return [
    `${state}, ${formatDuration(ageMs)} old, idle for ${formatDuration(idleMs)}${packets}`,
    ...(fromClient ? [] : [`shown is an answer to ${client} from ${vip}`]),
    ...(source === null || !fromClient ? [] : [`its backend sees ${source}`]),
    'placed when it came: it stays while its backend is up or draining',
  ];
}

function placementSteps({ placement, flow, candidates }: TraceView): Step[] {
  if (placement === null) return [];
  const { policy, slot, slots, backend, settled } = placement;
  const nobody = candidates.some(({ candidate }) => candidate) ? 'nobody has room' : 'nobody is up';
  const whom = backend ?? nobody;
  if (slot !== null) {
    const place = `${formatCount(slot)} of ${formatCount(slots!)}`;
    const other = flow !== null && flow.backend !== backend ? `; a new flow would go to ${whom}` : '';
    return [['slot', backend === null ? `${place}: ${nobody}` : `${place}${other}`]];
  }
  if (settled) return backend === null ? [['policy', `${policy}: ${nobody}`]] : [];
  return [['policy', `depends on the moment: now ${whom}, next another`]];
}

function rewritingSteps(rewriting: TraceRewriting): Step[] {
  const { before, after, encapsulation, further, mark, examplePort } = rewriting;
  if (after === null) return [['packet', `${before.source} → ${before.destination}`]];
  const tunnel =
    encapsulation === null
      ? []
      : [`in ${encapsulation.kind} ${encapsulation.source} → ${encapsulation.destination}`];
  const parts =
    further.length === 0 ? [] : [`and ${plural(further.length, 'further packet')}: it is sent in parts`];
  const marked = mark === null ? [] : [`with the mark 0x${mark.toString(16)}, by which it is routed`];
  const example = examplePort ? ['the source port is an example: it gets the next that is free'] : [];
  const unknown = /^(0\.0\.0\.0|\[::\]):/.test(after.source)
    ? ['the source is not known here: this machine has no route to the backend']
    : [];
  return [
    ['before', `${before.source} → ${before.destination}`],
    [
      'after',
      `${after.source} → ${after.destination}`,
      ...tunnel,
      ...parts,
      ...marked,
      ...example,
      ...unknown,
    ],
  ];
}

/** What a reason means, where its name does not say it. */
const reasonWords: Readonly<Record<string, string>> = {
  'no-flow': 'in the middle of a flow that is not known',
  'no-backend': 'no backend takes new flows',
  'backend-down': 'its backend is down',
  'reset-sent': 'a RST goes back to its sender',
  'unreachable-sent': 'an ICMP error goes back to its sender: the port is closed',
  'sent-apart': 'in packets of its own: of the other family, or in fragments',
  'too-big': 'it does not fit into the tunnel',
  'too-big-sent': 'an ICMP error goes back to its sender: it does not fit into the tunnel',
  'time-exceeded-sent': 'an ICMP error goes back to its sender: it has no hop left',
  'error-sent': 'an ICMP error about the tunnel becomes one to the client',
  'bad-source': 'nobody could be answered there',
  'ports-exhausted': 'no source port is free',
  'key-taken': "the client's port already talks to this backend",
  'hairpin-needs-snat': 'without SNAT a backend cannot be its own client',
  'all-down': 'every backend is down',
  'all-full': 'it waits until a backend has room',
};

const verdictWords: Readonly<Record<TraceView['verdict'], string>> = {
  rewritten: 'rewritten and sent on',
  accept: 'goes on as if sluice were not there',
  mark: 'goes on with a mark, which routes it',
  drop: 'dropped',
  hold: 'waits',
  terminate: 'accepted, and joined to its backend',
  refuse: 'turned away',
};

function verdictLines({ verdict, reason }: TraceView): [string, ...string[]] {
  const why = reasonWords[reason];
  return [`${verdictWords[verdict]} (${reason})`, ...(why === undefined ? [] : [why])];
}

function candidateLines({ candidates, backend, placement }: TraceView, style: Style): string[] {
  const total = placement?.slots ?? null;
  const columns: readonly Column<TraceCandidate>[] = [
    { title: ' ', cell: ({ address }) => (address === backend ? '▸' : ' ') },
    { title: 'BACKEND', cell: ({ name }) => name },
    // A name of one's own says nothing of the address.
    ...(candidates.every(({ name, address }) => name === address)
      ? []
      : [{ title: 'ADDRESS', cell: ({ address }: TraceCandidate) => address }]),
    { title: 'WEIGHT', cell: ({ weight }) => String(weight), right: true },
    ...(total === null
      ? []
      : [
          {
            title: 'SLOTS',
            cell: ({ slots }: TraceCandidate) => `${((100 * (slots ?? 0)) / total).toFixed(1)}%`,
            right: true,
          },
        ]),
    { title: 'STATE', cell: ({ state }) => state, paint: ({ state }, own) => statePaint(state, own) },
    { title: 'NEW FLOWS', cell: ({ candidate }) => (candidate ? 'yes' : 'no') },
    { title: 'LAST CHECK', cell: ({ health }) => health },
  ];
  return renderTable(columns, candidates, style);
}
