/** What is told of each backend. */
import type { BackendState, BackendView } from '../../model/view.ts';
import type { Section } from '../section.ts';

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
      name: 'sluice_backend_checks_total',
      type: 'counter',
      help: 'Health checks of the backend, by result.',
      by: 'result',
      values: ({ health: { passed, failed } }) => ({ passed, failed }),
    },
    {
      name: 'sluice_backend_check_duration_seconds',
      type: 'gauge',
      help: 'How long the last health check took; absent before the first and after one that failed.',
      value: ({ health: { latencyMs } }) => latencyMs && latencyMs / 1e3,
    },
    {
      name: 'sluice_backend_source_ports',
      type: 'gauge',
      help: 'How many flows of the backend can have a source port at once; absent where flows keep theirs.',
      value: ({ sourcePorts }) => sourcePorts,
    },
    {
      name: 'sluice_backend_received_packets_total',
      type: 'counter',
      help: 'Packets received from clients of the backend; absent in mode proxy.',
      value: ({ packetsIn }) => packetsIn,
    },
    {
      name: 'sluice_backend_sent_packets_total',
      type: 'counter',
      help: 'Packets sent to clients of the backend; absent where they are not seen.',
      value: ({ packetsOut }) => packetsOut,
    },
    {
      name: 'sluice_backend_received_bytes_total',
      type: 'counter',
      help: 'Received from clients of the backend: payload in mode proxy, else whole packets.',
      value: ({ bytesIn }) => bytesIn,
    },
    {
      name: 'sluice_backend_sent_bytes_total',
      type: 'counter',
      help: 'Sent to clients of the backend: payload in mode proxy, else whole packets.',
      value: ({ bytesOut }) => bytesOut,
    },
  ],
};
