/** What a running instance says of itself, as tables. */
import { stateAgeMs } from '../model/backend-age.ts';
import { formatDuration } from '../model/duration.ts';
import { formatBytes, formatCount } from '../model/units.ts';
import type { BackendState, BackendView, FlowView, ServiceView, StatusView } from '../model/view.ts';
import type { Paint, Style } from './style.ts';
import type { Column } from './table.ts';

const unknown = '-';

/** `edge-1 is serving, up 3m, pid 4242, sluice 0.1.0`. */
export function statusLine({ name, state, uptimeMs, pid, version }: StatusView): string {
  const doing = state === 'serving' ? 'is serving' : 'is draining';
  return `${name} ${doing}, up ${formatDuration(uptimeMs)}, pid ${pid}, sluice ${version}`;
}

export const serviceColumns: readonly Column<ServiceView>[] = [
  { title: 'SERVICE', cell: ({ name }) => name },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'LISTEN', cell: ({ listen }) => listen },
  { title: 'BALANCE', cell: ({ balance }) => balance },
  {
    title: 'UP',
    cell: ({ backends, backendsUp }) => `${backendsUp}/${backends}`,
    paint: ({ backends, backendsUp }, style) => {
      if (backendsUp === 0) return style.red;
      return backendsUp < backends ? style.yellow : style.green;
    },
    right: true,
  },
  { title: 'FLOWS', cell: ({ flows }) => formatCount(flows), right: true },
  { title: 'QUEUED', cell: ({ queued }) => formatCount(queued), right: true },
  { title: 'TOTAL', cell: ({ connections }) => formatCount(connections), right: true },
  { title: 'IN', cell: ({ bytesIn }) => formatBytes(bytesIn), right: true },
  { title: 'OUT', cell: ({ bytesOut }) => bytesSeen(bytesOut), right: true },
  { title: 'DROPPED', cell: ({ dropped }) => formatDropped(dropped) },
];

export const backendColumns: readonly Column<BackendView>[] = [
  { title: 'SERVICE', cell: ({ service }) => service },
  { title: 'BACKEND', cell: ({ name }) => name },
  { title: 'ADDRESS', cell: ({ address }) => address },
  { title: 'WEIGHT', cell: ({ weight }) => String(weight), right: true },
  { title: 'STATE', cell: ({ state }) => state, paint: ({ state }, style) => statePaint(state, style) },
  { title: 'SINCE', cell: (backend) => formatDuration(stateAgeMs(backend)), right: true },
  { title: 'FLOWS', cell: ({ flows }) => formatCount(flows), right: true },
  { title: 'TOTAL', cell: ({ connections }) => formatCount(connections), right: true },
  { title: 'FAILED', cell: ({ failures }) => formatCount(failures), right: true },
  { title: 'IN', cell: ({ bytesIn }) => formatBytes(bytesIn), right: true },
  { title: 'OUT', cell: ({ bytesOut }) => bytesSeen(bytesOut), right: true },
  { title: 'LAST CHECK', cell: ({ health }) => health.last },
];

export const flowColumns: readonly Column<FlowView>[] = [
  { title: 'PROTOCOL', cell: ({ protocol }) => protocol },
  { title: 'CLIENT', cell: ({ client }) => client },
  { title: 'VIP', cell: ({ vip }) => vip },
  { title: 'BACKEND', cell: ({ backend }) => backend ?? unknown },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'AGE', cell: ({ ageMs }) => formatDuration(ageMs), right: true },
  { title: 'IDLE', cell: ({ idleMs }) => formatDuration(idleMs), right: true },
  { title: 'IN', cell: ({ bytesIn }) => formatBytes(bytesIn), right: true },
  { title: 'OUT', cell: ({ bytesOut }) => bytesSeen(bytesOut), right: true },
];

function bytesSeen(bytes: number | null): string {
  return bytes === null ? unknown : formatBytes(bytes);
}

/** Green is well, red is not, yellow is as somebody wished. */
export function statePaint(state: BackendState, style: Style): Paint {
  if (state === 'up') return style.green;
  return state === 'down' ? style.red : style.yellow;
}

/** `queue-full 3, all-down 1`. */
function formatDropped(dropped: ServiceView['dropped']): string {
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  if (reasons.length === 0) return unknown;
  return reasons.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(', ');
}
