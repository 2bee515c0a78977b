/** One backend: how it is and what it carries, and the states that it has been in. */
import { stateAgeMs } from '../model/backend-age.ts';
import { formatBytes, formatCount, formatShare } from '../model/units.ts';
import type { BackendView } from '../model/view.ts';
import { bitRate, shortAge, shortLatency } from './amounts.ts';
import { checkBars, stateTone } from './backend-table.ts';
import { type Block, fact } from './detail-block.ts';
import { backendRates } from './rates.ts';
import { outOfSight } from './sight.ts';
import type { DashboardState } from './state.ts';
import { span } from './text.ts';

const agoWidth = 11;
const checksShown = 20;

/** How it is, and what it carries now and has ever. */
export function backendBlock({ sample, before }: DashboardState, backend: BackendView): Block {
  const { health, state, weight } = backend;
  const others = sample!.backends.filter(({ service }) => service === backend.service);
  const flows = others.reduce((sum, each) => sum + each.flows, 0);
  const { inbound = 0, outbound = 0 } = backendRates(backend, sample!, before);
  const name = backend.name === backend.address ? backend.name : `${backend.name} (${backend.address})`;
  const answers =
    backend.bytesOut === null ? outOfSight : `${bitRate(outbound)}, ${formatBytes(backend.bytesOut)}`;
  const share = formatShare(backend.flows, flows);
  return {
    title: 'Backend',
    lines: [
      fact('name', span(name, 'strong')),
      fact(
        'state',
        span(state, stateTone(state)),
        span(` for ${shortAge(stateAgeMs(backend))}, weight ${weight}`),
      ),
      fact('check', span(`${health.last}, ${shortLatency(health.latencyMs)}`)),
      fact('checks', ...checkBars(backend, checksShown)),
      fact('flows', span(`${formatCount(backend.flows)} now, ${share} of ${backend.service}`)),
      fact(
        'ever',
        span(`${formatCount(backend.connections)} flows, ${formatCount(backend.failures)} failed`),
      ),
      fact('in', span(`${bitRate(inbound)}, ${formatBytes(backend.bytesIn)}`, 'inbound')),
      fact('out', span(answers, 'outbound')),
    ],
  };
}

/** Latest first. */
export function historyBlock({ history }: BackendView): Block {
  return {
    title: 'Its states',
    lines: history
      .toReversed()
      .map(({ state, reason, agoMs }) => [
        span(` ${`${shortAge(agoMs)} ago`.padEnd(agoWidth)}`, 'muted'),
        span(state, stateTone(state)),
        span(`  ${reason}`),
      ]),
  };
}
