import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catalogue } from '../../lib/metrics/catalogue.ts';
import { formatMetrics, type Reading } from '../../lib/metrics/collect.ts';
import { FakeInstance } from '../control/fake-instance.ts';
import { parseExposition } from './parse-exposition.ts';

const instance = new FakeInstance();
const reading: Reading = {
  ready: true,
  status: instance.statusView,
  backends: instance.backendViews,
  process: {
    residentMemoryBytes: 50_000_000,
    cpuSeconds: 1.5,
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
    assert.deepEqual(series(text, 'sluice_build_info'), ['sluice_build_info{version="1.2.3"} 1']);
    assert.deepEqual(series(text, 'sluice_uptime_seconds'), ['sluice_uptime_seconds 61.5']);
    assert.deepEqual(series(text, 'sluice_ready'), ['sluice_ready 1']);
    assert.deepEqual(series(formatMetrics({ ...reading, ready: false }), 'sluice_ready'), ['sluice_ready 0']);
  });

  it('describe each service', () => {
    assert.deepEqual(series(text, 'sluice_service_'), [
      'sluice_service_backends{service="web",mode="proxy"} 2',
      'sluice_service_backends_up{service="web",mode="proxy"} 1',
      'sluice_service_flows{service="web",mode="proxy"} 3',
      'sluice_service_queued{service="web",mode="proxy"} 4',
      'sluice_service_connections_total{service="web",mode="proxy"} 50',
      'sluice_service_dropped_total{service="web",mode="proxy",reason="all-down"} 8',
      'sluice_service_dropped_total{service="web",mode="proxy",reason="queue-full"} 9',
      'sluice_service_received_bytes_total{service="web",mode="proxy"} 600',
      'sluice_service_sent_bytes_total{service="web",mode="proxy"} 7000',
    ]);
  });

  it('describe each backend', () => {
    const of = (name: string) => `{service="web",backend="${name}"}`;
    const [first, second] = [of('127.0.0.1:9001'), of('rack 2/ä%')];
    const states = (labels: string, current: string) =>
      ['up', 'down', 'draining', 'disabled'].map(
        (state) =>
          `sluice_backend_state${labels.replace('}', `,state="${state}"}`)} ${state === current ? 1 : 0}`,
      );
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
      `sluice_backend_received_bytes_total${first} 600`,
      `sluice_backend_received_bytes_total${second} 0`,
      `sluice_backend_sent_bytes_total${first} 7000`,
      `sluice_backend_sent_bytes_total${second} 0`,
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
    const elsewhere = parse({
      ...reading,
      process: { ...reading.process, openFds: undefined, maxFds: undefined },
    });
    assert.ok(!elsewhere.some(({ name }) => name.endsWith('_fds')));
  });

  it('are still well-formed when there is nothing to count', () => {
    const bare = parse({ ...reading, status: { ...reading.status, services: [] }, backends: [] });
    assert.ok(bare.length > 0 && bare.every(({ name }) => !/^sluice_(service|backend)_/.test(name)));
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
    assert.deepEqual([...labels].sort(), ['backend', 'mode', 'reason', 'service', 'state', 'version']);
  });
});
