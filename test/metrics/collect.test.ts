import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catalogue } from '../../lib/metrics/catalogue.ts';
import { formatMetrics, type Reading } from '../../lib/metrics/collect.ts';
import type { ServiceView } from '../../lib/model/view.ts';
import { FakeInstance } from '../control/fake-instance.ts';
import { parseExposition } from './parse-exposition.ts';

const instance = new FakeInstance();
/** A service whose packets are seen. */
const packets: ServiceView = {
  ...instance.statusView.services[0]!,
  name: 'dns',
  mode: 'nat',
  packetsIn: 11,
  packetsOut: 12,
  dropped: {},
};
const reading: Reading = {
  ready: true,
  status: {
    ...instance.statusView,
    services: [...instance.statusView.services, packets],
  },
  nowSeconds: 1_700_000_100,
  backends: instance.backendViews,
  paths: instance.pathViews,
  process: {
    residentMemoryBytes: 50_000_000,
    cpuSeconds: 1.5,
    eventLoopBusySeconds: 0.75,
    startTimeSeconds: 1_700_000_000.25,
    openFds: 20,
    maxFds: 1024,
  },
};
const parse = (given: Reading) => parseExposition(formatMetrics(given));
const series = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));

describe('the metrics of an instance', () => {
  const text = formatMetrics(reading);

  it('are those of the catalogue, in its order, with its labels', () => {
    assert.deepEqual(
      parse(reading).map(({ name, type, help, samples }) => ({
        name,
        type,
        help,
        labels: Object.keys(samples[0]!.labels),
      })),
      catalogue,
    );
  });

  it('describe the instance', () => {
    assert.deepEqual(series(text, 'sluice_build_info'), [
      `sluice_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    ]);
    assert.deepEqual(series(text, 'sluice_uptime_seconds'), ['sluice_uptime_seconds 61.5']);
    assert.deepEqual(series(text, 'sluice_ready'), ['sluice_ready 1']);
    assert.deepEqual(series(formatMetrics({ ...reading, ready: false }), 'sluice_ready'), ['sluice_ready 0']);
    assert.deepEqual(series(text, 'sluice_dropped'), ['sluice_dropped_packets_total{reason="not-ours"} 7']);
  });

  it('tell of reloads, and of the last one if there was any', () => {
    assert.deepEqual(series(text, 'sluice_reloads'), [
      'sluice_reloads_total{result="applied"} 2',
      'sluice_reloads_total{result="refused"} 1',
    ]);
    assert.deepEqual(series(text, 'sluice_last_reload'), [
      'sluice_last_reload_successful 0',
      'sluice_last_reload_timestamp_seconds 1700000095',
    ]);
    const reloads = { applied: 0, refused: 0, last: null };
    const fresh = formatMetrics({ ...reading, status: { ...reading.status, reloads } });
    assert.deepEqual(series(fresh, 'sluice_last_reload'), ['sluice_last_reload_successful 1']);
  });

  it('describe each service', () => {
    assert.deepEqual(
      series(text, 'sluice_service_').filter((line) => line.includes('service="web"')),
      [
        'sluice_service_backends{service="web",mode="proxy"} 2',
        'sluice_service_backends_up{service="web",mode="proxy"} 1',
        'sluice_service_flows{service="web",mode="proxy"} 3',
        'sluice_service_queued{service="web",mode="proxy"} 4',
        'sluice_service_connections_total{service="web",mode="proxy"} 50',
        'sluice_service_dropped_total{service="web",mode="proxy",reason="all-down"} 8',
        'sluice_service_dropped_total{service="web",mode="proxy",reason="queue-full"} 9',
        'sluice_service_received_bytes_total{service="web",mode="proxy"} 600',
        'sluice_service_sent_bytes_total{service="web",mode="proxy"} 7000',
      ],
    );
    assert.deepEqual(
      series(text, 'sluice_service_').filter((line) => line.includes('_packets_')),
      [
        'sluice_service_received_packets_total{service="dns",mode="nat"} 11',
        'sluice_service_sent_packets_total{service="dns",mode="nat"} 12',
      ],
    );
  });

  it('describe each backend', () => {
    const of = (name: string) => `{service="web",backend="${name}"}`;
    const [first, second] = [of('127.0.0.1:9001'), of('rack 2/ä%')];
    const states = (labels: string, current: string) =>
      ['up', 'down', 'draining', 'disabled'].map(
        (state) =>
          `sluice_backend_state${labels.replace('}', `,state="${state}"}`)} ${state === current ? 1 : 0}`,
      );
    const check = (line: string) => `sluice_backend_checks_total${line}`;
    assert.deepEqual(series(text, 'sluice_backend_'), [
      `sluice_backend_up${first} 1`,
      `sluice_backend_up${second} 0`,
      ...states(first, 'up'),
      ...states(second, 'down'),
      `sluice_backend_weight${first} 2`,
      `sluice_backend_weight${second} 1`,
      `sluice_backend_flows${first} 3`,
      `sluice_backend_flows${second} 0`,
      `sluice_backend_connections_total${first} 40`,
      `sluice_backend_connections_total${second} 10`,
      `sluice_backend_failures_total${first} 1`,
      `sluice_backend_failures_total${second} 5`,
      ...[`${first.slice(0, -1)},result="passed"} 60`, `${first.slice(0, -1)},result="failed"} 2`].map(check),
      ...[`${second.slice(0, -1)},result="passed"} 40`, `${second.slice(0, -1)},result="failed"} 3`].map(
        check,
      ),
      `sluice_backend_check_duration_seconds${first} 0.0005`,
      `sluice_backend_source_ports${second} 4535`,
      `sluice_backend_received_packets_total${second} 21`,
      `sluice_backend_sent_packets_total${second} 22`,
      `sluice_backend_received_bytes_total${first} 600`,
      `sluice_backend_received_bytes_total${second} 0`,
      `sluice_backend_sent_bytes_total${first} 7000`,
      `sluice_backend_sent_bytes_total${second} 0`,
    ]);
  });

  it('describe each packet path and its workers', () => {
    assert.deepEqual(series(text, 'sluice_path_'), [
      'sluice_path_generation{mode="nat"} 4',
      'sluice_path_half_open_flows{mode="nat",service="dns"} 3',
    ]);
    const of = (label?: string) => `{mode="nat",worker="0"${label === undefined ? '' : `,${label}`}}`;
    assert.deepEqual(series(text, 'sluice_worker_'), [
      `sluice_worker_generation${of()} 3`,
      `sluice_worker_restarts_total${of()} 1`,
      `sluice_worker_flows${of()} 30`,
      `sluice_worker_half_open_flows${of()} 3`,
      `sluice_worker_flow_capacity${of()} 127`,
      `sluice_worker_ended_flows_total${of('reason="expired"')} 8`,
      `sluice_worker_ended_flows_total${of('reason="evicted"')} 9`,
      `sluice_worker_packets_total${of()} 1000`,
      `sluice_worker_queue_waiting_packets${of()} 5`,
      `sluice_worker_queue_dropped_packets_total${of('reason="queue-full"')} 6`,
      `sluice_worker_queue_dropped_packets_total${of('reason="buffer-full"')} 7`,
      `sluice_worker_queue_calls_total${of('call="receive"')} 100`,
      `sluice_worker_queue_calls_total${of('call="send"')} 90`,
      `sluice_worker_queue_errors_total${of('reason="overrun"')} 1`,
      `sluice_worker_queue_errors_total${of('reason="refused"')} 2`,
      `sluice_worker_queue_errors_total${of('reason="malformed"')} 3`,
    ]);
  });

  it('describe the process, as far as the system tells', () => {
    assert.deepEqual(series(text, 'process_'), [
      'process_cpu_seconds_total 1.5',
      'process_resident_memory_bytes 50000000',
      'process_start_time_seconds 1700000000.25',
      'process_open_fds 20',
      'process_max_fds 1024',
    ]);
    assert.deepEqual(series(text, 'sluice_event_loop'), ['sluice_event_loop_busy_seconds_total 0.75']);
    const elsewhere = parse({
      ...reading,
      process: { ...reading.process, openFds: undefined, maxFds: undefined },
    });
    assert.ok(!elsewhere.some(({ name }) => name.endsWith('_fds')));
  });

  it('are still well-formed when there is nothing to count', () => {
    const bare = parse({ ...reading, status: { ...reading.status, services: [] }, backends: [], paths: [] });
    assert.ok(
      bare.length > 0 && bare.every(({ name }) => !/^sluice_(service|backend|path|worker)_/.test(name)),
    );
  });
});

describe('the catalogue', () => {
  it('names every metric once, by the conventions', () => {
    assert.equal(new Set(catalogue.map(({ name }) => name)).size, catalogue.length);
    for (const { name, type, help } of catalogue) {
      assert.match(name, /^(sluice|process)(_[a-z]+)+$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.match(help, /^[A-Z0-9][^\n]*\.$/);
    }
  });

  it('has no label for a client', () => {
    const labels = new Set(catalogue.flatMap((entry) => entry.labels));
    assert.deepEqual([...labels].sort(), [
      'backend',
      'call',
      'mode',
      'node',
      'reason',
      'result',
      'service',
      'state',
      'version',
      'worker',
    ]);
  });
});
