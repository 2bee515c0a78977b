/**
 * Every metric there is: its name, its type, its help, and where its value is read. Names are a promise to
 * dashboards and alerts. Units are Prometheus' base units, counters end in `_total`, and no label has a client's
 * address in it, so that the number of series depends on the configuration alone.
 */
import type { BackendState, BackendView, ServiceView, StatusView } from '../model/view.ts';
import type { MetricType } from './exposition.ts';
import type { ProcessReading } from './process.ts';

interface Description {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
}

/** One series for each view (none where the value is unknown), or one for each value of the label `by`. */
export type Metric<View> = Description &
  (
    | { readonly value: (view: View) => number | undefined }
    | { readonly by: string; readonly values: (view: View) => Readonly<Record<string, number>> }
  );

/** The metrics of one kind of thing, and the labels that tell one such thing from another. */
export interface Section<View> {
  readonly labels: Readonly<Record<string, (view: View) => string>>;
  readonly metrics: readonly Metric<View>[];
}

export interface InstanceReading {
  readonly ready: boolean;
  readonly status: StatusView;
}

export const instanceSection: Section<InstanceReading> = {
  labels: {},
  metrics: [
    {
      name: 'sluice_build_info',
      type: 'gauge',
      help: 'Always 1; the label says which version of sluice runs.',
      by: 'version',
      values: ({ status }) => ({ [status.version]: 1 }),
    },
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
  ],
};

export const serviceSection: Section<ServiceView> = {
  labels: { service: ({ name }) => name, mode: ({ mode }) => mode },
  metrics: [
    {
      name: 'sluice_service_backends',
      type: 'gauge',
      help: 'Backends configured.',
      value: ({ backends }) => backends,
    },
    {
      name: 'sluice_service_backends_up',
      type: 'gauge',
      help: 'Backends fit for new flows.',
      value: ({ backendsUp }) => backendsUp,
    },
    {
      name: 'sluice_service_flows',
      type: 'gauge',
      help: 'Live flows: TCP connections and UDP sessions.',
      value: ({ flows }) => flows,
    },
    {
      name: 'sluice_service_queued',
      type: 'gauge',
      help: 'Clients that wait for a backend to have room.',
      value: ({ queued }) => queued,
    },
    {
      name: 'sluice_service_connections_total',
      type: 'counter',
      help: 'Clients accepted.',
      value: ({ connections }) => connections,
    },
    {
      name: 'sluice_service_dropped_total',
      type: 'counter',
      help: 'Clients turned away, by reason.',
      by: 'reason',
      values: ({ dropped }) => dropped,
    },
    {
      name: 'sluice_service_received_bytes_total',
      type: 'counter',
      help: 'Payload received from clients.',
      value: ({ bytesIn }) => bytesIn,
    },
    {
      name: 'sluice_service_sent_bytes_total',
      type: 'counter',
      help: 'Payload sent to clients.',
      value: ({ bytesOut }) => bytesOut,
    },
  ],
};

const backendStates: readonly BackendState[] = ['up', 'down', 'draining', 'disabled'];

export const backendSection: Section<BackendView> = {
  labels: { service: ({ service }) => service, backend: ({ name }) => name },
  metrics: [
    {
      name: 'sluice_backend_up',
      type: 'gauge',
      help: '1 while the backend is fit for new flows, else 0.',
      value: ({ state }) => Number(state === 'up'),
    },
    {
      name: 'sluice_backend_state',
      type: 'gauge',
      help: '1 for the state that the backend is in, 0 for the others.',
      by: 'state',
      values: ({ state }) => Object.fromEntries(backendStates.map((each) => [each, Number(each === state)])),
    },
    {
      name: 'sluice_backend_weight',
      type: 'gauge',
      help: 'Its share of new flows, relative to the other backends of the service.',
      value: ({ weight }) => weight,
    },
    {
      name: 'sluice_backend_flows',
      type: 'gauge',
      help: 'Live flows on the backend.',
      value: ({ flows }) => flows,
    },
    {
      name: 'sluice_backend_connections_total',
      type: 'counter',
      help: 'Flows placed on the backend.',
      value: ({ connections }) => connections,
    },
    {
      name: 'sluice_backend_failures_total',
      type: 'counter',
      help: 'Connects to the backend that failed or ended in an early reset.',
      value: ({ failures }) => failures,
    },
    {
      name: 'sluice_backend_received_bytes_total',
      type: 'counter',
      help: 'Payload received from clients of the backend.',
      value: ({ bytesIn }) => bytesIn,
    },
    {
      name: 'sluice_backend_sent_bytes_total',
      type: 'counter',
      help: 'Payload sent to clients of the backend.',
      value: ({ bytesOut }) => bytesOut,
    },
  ],
};

/** Named as by every Prometheus client, so that existing dashboards find them. */
export const processSection: Section<ProcessReading> = {
  labels: {},
  metrics: [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Total user and system CPU time spent in seconds.',
      value: ({ cpuSeconds }) => cpuSeconds,
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory size in bytes.',
      value: ({ residentMemoryBytes }) => residentMemoryBytes,
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'Start time of the process since unix epoch in seconds.',
      value: ({ startTimeSeconds }) => startTimeSeconds,
    },
    {
      name: 'process_open_fds',
      type: 'gauge',
      help: 'Number of open file descriptors.',
      value: ({ openFds }) => openFds,
    },
    {
      name: 'process_max_fds',
      type: 'gauge',
      help: 'Maximum number of open file descriptors.',
      value: ({ maxFds }) => maxFds,
    },
  ],
};

export interface CatalogueEntry extends Description {
  readonly labels: readonly string[];
}

function describe<View>({ labels, metrics }: Section<View>): CatalogueEntry[] {
  return metrics.map((metric) => {
    const { name, type, help } = metric;
    return { name, type, help, labels: [...Object.keys(labels), ...('by' in metric ? [metric.by] : [])] };
  });
}

/** All of them without their values, in the order in which they are served: for the manual and the tests. */
export const catalogue: readonly CatalogueEntry[] = [
  ...describe(instanceSection),
  ...describe(serviceSection),
  ...describe(backendSection),
  ...describe(processSection),
];
