/** What is told of the process, named as by every Prometheus client, so that existing dashboards find it. */
import type { ProcessReading } from '../process.ts';
import type { Section } from '../section.ts';

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
    {
      name: 'sluice_event_loop_busy_seconds_total',
      type: 'counter',
      help: 'Time in which the main thread, that of all proxied connections, did not wait; 1 a second is a full core.',
      value: ({ eventLoopBusySeconds }) => eventLoopBusySeconds,
    },
  ],
};
