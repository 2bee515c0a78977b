/** What is told of each service. */
import type { ServiceView } from '../../model/view.ts';
import type { Section } from '../section.ts';

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
      help: 'Clients turned away, or packets that were not sent on, by reason.',
      by: 'reason',
      values: ({ dropped }) => dropped,
    },
    {
      name: 'sluice_service_received_packets_total',
      type: 'counter',
      help: 'Packets or datagrams received from clients; absent where only a stream is seen.',
      value: ({ packetsIn }) => packetsIn,
    },
    {
      name: 'sluice_service_sent_packets_total',
      type: 'counter',
      help: 'Packets or datagrams sent to clients; absent where they are not seen.',
      value: ({ packetsOut }) => packetsOut,
    },
    {
      name: 'sluice_service_received_bytes_total',
      type: 'counter',
      help: 'Received from clients: payload in mode proxy, else whole packets.',
      value: ({ bytesIn }) => bytesIn,
    },
    {
      name: 'sluice_service_sent_bytes_total',
      type: 'counter',
      help: 'Sent to clients: payload in mode proxy, else whole packets.',
      value: ({ bytesOut }) => bytesOut,
    },
  ],
};
