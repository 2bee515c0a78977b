/** One flow: what it is and has carried, and why it is with the backend that it is with. */

import type { TraceView } from '../model/trace.ts';
import { formatBytes, formatCount } from '../model/units.ts';
import type { FlowView } from '../model/view.ts';
import { bitRate, shortAge, shortAmount } from './amounts.ts';
import { stateTone } from './backend-table.ts';
import { type Block, fact } from './detail-block.ts';
import { chosenBackend, flowKey } from './rows.ts';
import { outOfSight } from './sight.ts';
import type { DashboardState } from './state.ts';
import { type Line, span } from './text.ts';

/** Its ends, its state, and what it has carried. */
export function flowBlock(flow: FlowView): Block {
  const { state, trackedState = state, ageMs, idleMs } = flow;
  return {
    title: 'Flow',
    lines: [
      fact('client', span(`${flow.protocol} ${flow.client}`, 'strong')),
      fact('VIP', span(flow.vip)),
      fact('backend', span(flow.backend ?? 'waits for one')),
      fact('service', span(`${flow.service}, mode ${flow.mode}`)),
      fact('state', span(`${trackedState}, ${shortAge(ageMs)} old, idle ${shortAge(idleMs)}`)),
      fact('in', span(carried(flow.bytesIn, flow.packetsIn, flow.bytesInPerSecond), 'inbound')),
      fact('out', span(carried(flow.bytesOut, flow.packetsOut, flow.bytesOutPerSecond), 'outbound')),
    ],
  };
}

function carried(bytes: number | null, packets: number | null, rate: number | null | undefined): string {
  if (bytes === null) return outOfSight;
  return [
    ...(rate === null || rate === undefined ? [] : [bitRate(rate)]),
    formatBytes(bytes),
    ...(packets === null ? [] : [`${shortAmount(packets)} pkts`]),
  ].join(', ');
}

/** As the instance itself tells its way. */
export function whyBlock(state: DashboardState, flow: FlowView): Block {
  const { sample } = state;
  const trace = sample?.trace;
  const isOfThis = trace !== undefined && flowKey(trace) === flowKey(flow);
  const backend = chosenBackend(state);
  const standing: readonly Line[] =
    backend === undefined
      ? []
      : [
          fact(
            'now',
            span(backend.state, stateTone(backend.state)),
            span(`, weight ${backend.weight}, ${backend.health.last}`),
          ),
        ];
  return {
    title: 'Why this backend',
    lines: isOfThis ? [...reasons(trace, flow), ...standing] : [[span(' asking…', 'muted')], ...standing],
  };
}

function reasons({ placement, epoch, flow: tracked }: TraceView, flow: FlowView): readonly Line[] {
  if (placement === null) return [[span(' its service is configured no more', 'muted')]];
  const { policy, slot, slots, backend, settled } = placement;
  const isElsewhere = settled && backend !== null && backend !== flow.backend;
  return [
    fact('policy', span(policy)),
    ...(slot === null || slots === null
      ? []
      : [fact('slot', span(formatCount(slot), 'strong'), span(` of ${formatCount(slots)}`))]),
    ...(epoch === null ? [] : [fact('epoch', span(formatCount(epoch)))]),
    fact('placed', span(settled ? 'by hash, when it came' : 'by load, when it came')),
    ...(isElsewhere ? [fact('', span(`a new one would go to ${backend}`, 'warn'))] : []),
    ...(tracked?.source == null ? [] : [fact('seen as', span(tracked.source))]),
  ];
}
