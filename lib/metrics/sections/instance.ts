/** What is told of an instance as a whole. */
import type { StatusView } from '../../model/view.ts';
import type { Section } from '../section.ts';

export interface InstanceReading {
  readonly ready: boolean;
  readonly status: StatusView;
  /** Since the Unix epoch. */
  readonly nowSeconds: number;
}

export const buildSection: Section<InstanceReading> = {
  labels: { version: ({ status }) => status.version, node: () => process.versions.node },
  metrics: [
    {
      name: 'sluice_build_info',
      type: 'gauge',
      help: 'Always 1; the labels say which version of sluice runs, and on which of Node.',
      value: () => 1,
    },
  ],
};

export const instanceSection: Section<InstanceReading> = {
  labels: {},
  metrics: [
    {
      name: 'sluice_uptime_seconds',
      type: 'gauge',
      help: 'How long the instance has been running.',
      value: ({ status }) => status.uptimeMs / 1e3,
    },
    {
      name: 'sluice_ready',
      type: 'gauge',
      help: '1 while new clients are accepted, else 0.',
      value: ({ ready }) => Number(ready),
    },
    {
      name: 'sluice_dropped_packets_total',
      type: 'counter',
      help: 'Packets that came to a packet path and were for no service, by reason.',
      by: 'reason',
      values: ({ status }) => status.dropped,
    },
    {
      name: 'sluice_reloads_total',
      type: 'counter',
      help: 'Reloads of the configuration, by result.',
      by: 'result',
      values: ({ status: { reloads } }) => ({ applied: reloads.applied, refused: reloads.refused }),
    },
    {
      name: 'sluice_last_reload_successful',
      type: 'gauge',
      help: '1 if the last reload was applied, or there was none, else 0.',
      value: ({ status: { reloads } }) => Number(reloads.last?.ok ?? true),
    },
    {
      name: 'sluice_last_reload_timestamp_seconds',
      type: 'gauge',
      help: 'When the configuration was last reloaded, since the Unix epoch; absent before.',
      value: ({ nowSeconds, status: { reloads } }) => reloads.last && nowSeconds - reloads.last.agoMs / 1e3,
    },
  ],
};
