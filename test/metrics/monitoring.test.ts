/** The dashboard and the alert rules that travel with sluice, held against the metrics that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { reasonNames } from '../../lib/forward/reasons.ts';
import { catalogue } from '../../lib/metrics/catalogue.ts';
import { formatMetrics } from '../../lib/metrics/collect.ts';
import { dropReasons } from '../../lib/proxy/context.ts';
import { FakeInstance } from '../control/fake-instance.ts';
import { output } from '../support/child.ts';
import { scratch } from '../support/scratch.ts';
import { missing, toolPath } from '../support/tools.ts';
import { dashboard, expressionsOf, type Panel, withVariables } from './dashboard.ts';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const alertsFile = pathOf('lib/metrics/prometheus-alerts.yaml');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const alerts = (
  parse(readFileSync(alertsFile, 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Alert[] }[];
  }
).groups.flatMap(({ rules }) => rules);

const labelsByMetric = new Map([
  ...catalogue.map(({ name, labels }) => [name, new Set(labels)] as const),
  // Of every target of Prometheus.
  ['up', new Set<string>()] as const,
]);
const targetLabels = ['job', 'instance'];
const allLabels = new Set([
  ...targetLabels,
  ...[...labelsByMetric.values()].flatMap((labels) => [...labels]),
]);
const reasons = new Set<string>([
  ...dropReasons,
  ...reasonNames,
  'queue-full',
  'buffer-full',
  'expired',
  'evicted',
]);

/** Whatever a PromQL expression asks for that is not there. */
function unknownIn(expression: string): string[] {
  const plain = expression.replaceAll(/"[^"]*"/g, '""');
  const grouped = [...plain.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, names]) =>
    names!.split(',').map((name) => name.trim()),
  );
  const selectors = [...expression.matchAll(/\b(sluice_\w+|process_\w+|up)\b(?:\{((?:[^}"]|"[^"]*")*)\})?/g)];
  const wrong = selectors.flatMap(([, name = '', matchers = '']) => {
    const labels = labelsByMetric.get(name);
    if (labels === undefined) return [`metric ${name}`];
    return [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].flatMap(
      ([, label = '', value = '']) => {
        if (targetLabels.includes(label)) return [];
        if (!labels.has(label)) return [`label ${label} of ${name}`];
        if (label !== 'reason') return [];
        return value
          .split('|')
          .filter((each) => !reasons.has(each))
          .map((each) => `reason ${each}`);
      },
    );
  });
  assert.ok(selectors.length > 0, expression);
  return [...wrong, ...grouped.filter((label) => !allLabels.has(label)).map((label) => `label ${label}`)];
}

describe('the reader of expressions', () => {
  it('finds what is not there', () => {
    assert.deepEqual(unknownIn('sum by (backnd) (rate(sluice_servce_flows[5m]))'), [
      'metric sluice_servce_flows',
      'label backnd',
    ]);
    assert.deepEqual(unknownIn('sluice_service_flows{backend="a", job="b"}'), [
      'label backend of sluice_service_flows',
    ]);
    assert.deepEqual(unknownIn('sluice_service_dropped_total{reason=~"all-down|al-down"}'), [
      'reason al-down',
    ]);
  });
});

describe('the alert rules', () => {
  it('ask for nothing that is not measured', () => {
    assert.ok(alerts.length > 10);
    assert.deepEqual(
      alerts.flatMap(({ expr }) => unknownIn(expr)),
      [],
    );
  });

  it('say what is wrong, with labels that there are', () => {
    for (const { alert, annotations } of alerts) {
      const { summary = '' } = annotations;
      assert.ok(summary !== '', alert);
      for (const [, label = ''] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)) {
        assert.ok(allLabels.has(label), `${alert}: ${label}`);
      }
    }
  });

  const promtool = { skip: missing('promtool') };
  it('are rules to Prometheus', promtool, async () => {
    const said = await output({ program: toolPath('promtool'), args: ['check', 'rules', alertsFile] });
    assert.match(said, new RegExp(`${alerts.length} rules found`));
  });

  it('fire for the trouble that each is about, and never while all is well', promtool, async () => {
    const cases = fileURLToPath(new URL('./fixtures/alerts.promtool.yaml', import.meta.url));
    const text = readFileSync(cases, 'utf8');
    const untested = alerts.map(({ alert }) => alert).filter((alert) => !text.includes(alert));
    assert.deepEqual(untested, []);
    await output({ program: toolPath('promtool'), args: ['test', 'rules', cases] });
  });
});

describe('the dashboard', () => {
  const { panels, templating } = dashboard;

  it('asks for nothing that is not measured', () => {
    const expressions = panels.flatMap(expressionsOf);
    assert.ok(expressions.length > 30);
    assert.deepEqual(expressions.flatMap(unknownIn), []);
  });

  it('shows every metric of sluice', () => {
    const shown = panels.flatMap(expressionsOf).join('\n');
    const hidden = catalogue.filter(
      ({ name }) => name.startsWith('sluice_') && !new RegExp(`\\b${name}\\b`).test(shown),
    );
    assert.deepEqual(
      hidden.map(({ name }) => name),
      // They are for alerts.
      ['sluice_last_reload_successful', 'sluice_last_reload_timestamp_seconds'],
    );
  });

  it('has variables for whatever its expressions leave open', () => {
    const named = new Set(templating.list.map(({ name }) => name));
    const used = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
    assert.deepEqual(
      [...new Set(used)].filter((name) => !name.startsWith('__') && !named.has(name)),
      [],
    );
  });

  it('says what each panel shows, and puts no two in one place', () => {
    const cells = new Map<string, Panel>();
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos;
      assert.ok(panel.type === 'row' || panel.description !== undefined, panel.title);
      assert.ok(x + w <= 24, panel.title);
      for (let cell = 0; cell < w * h; cell++) {
        const place = `${x + (cell % w)} ${y + Math.floor(cell / w)}`;
        assert.equal(cells.get(place)?.title, undefined, `${panel.title} at ${place}`);
        cells.set(place, panel);
      }
    }
  });

  it('has expressions that Prometheus can read', { skip: missing('promtool') }, async () => {
    const expressions = panels.flatMap(expressionsOf).map(withVariables);
    const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
    const directory = scratch();
    const file = directory.write('rules.yaml', JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    await output({ program: toolPath('promtool'), args: ['check', 'rules', file] });
    directory.remove();
  });
});

describe('what is scraped', () => {
  it('is as Prometheus wants names and types to be', { skip: missing('promtool') }, async () => {
    const instance = new FakeInstance();
    const directory = scratch();
    const text = formatMetrics({
      ready: true,
      nowSeconds: 0,
      status: instance.statusView,
      backends: instance.backendViews,
      paths: instance.pathViews,
      process: {
        residentMemoryBytes: 1,
        cpuSeconds: 1,
        eventLoopBusySeconds: 1,
        startTimeSeconds: 1,
        openFds: 1,
        maxFds: 1,
      },
    });
    const file = directory.write('metrics', text);
    const check = ['-c', `${toolPath('promtool')} check metrics < ${file}`];
    assert.equal(await output({ program: 'sh', args: check }), '');
    directory.remove();
  });
});
