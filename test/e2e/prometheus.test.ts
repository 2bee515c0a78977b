/**
 * A Prometheus that scrapes a sluice, with the alert rules that travel with it: every target, rule and panel of the
 * dashboard is understood, and what it has stored is what has happened.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dashboard, expressionsOf, withVariables } from '../metrics/dashboard.ts';
import { startServer } from '../support/child.ts';
import { freePort } from '../support/ports.ts';
import { scratch } from '../support/scratch.ts';
import { sluice } from '../support/sluice.ts';
import { missing, toolPath } from '../support/tools.ts';

const alerts = fileURLToPath(new URL('../../lib/metrics/prometheus-alerts.yaml', import.meta.url));

interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: [number, string];
  }[];
}

async function startPrometheus(target: string) {
  const directory = scratch();
  const port = await freePort();
  const config = directory.write(
    'prometheus.yml',
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${alerts}"]
scrape_configs: [{ job_name: sluice, static_configs: [{ targets: ["${target}"] }] }]
`,
  );
  const ask = async (path: string): Promise<unknown> => {
    const { status, data } = (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as {
      readonly status: string;
      readonly data: unknown;
    };
    assert.equal(status, 'success', path);
    return data;
  };
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory.path}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const server = await startServer(
    { program: toolPath('prometheus'), args },
    async (_, signal) => {
      const isReady = () =>
        fetch(`http://127.0.0.1:${port}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      while (!(await isReady())) await delay(50, undefined, { signal });
    },
    directory.remove,
  );
  return {
    ...server,
    ask,
    query: async (expression: string): Promise<Vector> =>
      (await ask(`query?query=${encodeURIComponent(expression)}`)) as Vector,
  };
}

describe('a Prometheus that scrapes sluice', { skip: missing('prometheus') }, () => {
  const origin = createServer((_, response) => response.end('hello'));
  before(() => once(origin.listen(0, '127.0.0.1'), 'listening'));
  after(() => {
    origin.closeAllConnections();
    origin.close();
  });

  it('understands its metrics, its alert rules and its dashboard', async () => {
    const { port } = origin.address() as { port: number };
    const [listen, metrics] = [await freePort(), await freePort()];
    await using _ = await sluice([
      'proxy',
      `127.0.0.1:${listen}`,
      `127.0.0.1:${port}`,
      '--metrics',
      `127.0.0.1:${metrics}`,
    ]);
    for (let request = 0; request < 7; request++) {
      await (await fetch(`http://127.0.0.1:${listen}/`, { headers: { connection: 'close' } })).text();
    }
    await using prometheus = await startPrometheus(`127.0.0.1:${metrics}`);
    const signal = AbortSignal.timeout(20_000);
    const value = async (expression: string): Promise<string | undefined> =>
      (await prometheus.query(expression)).result[0]?.value[1];
    while ((await value('sluice_service_connections_total')) !== '7') await delay(100, undefined, { signal });
    // Rates take two scrapes.
    while ((await value('rate(sluice_service_connections_total[1m])')) === undefined) {
      await delay(100, undefined, { signal });
    }

    const { activeTargets } = (await prometheus.ask('targets')) as {
      readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[];
    };
    assert.deepEqual(
      activeTargets.map(({ health, lastError }) => [health, lastError]),
      [['up', '']],
    );
    const health = async () => {
      const { groups } = (await prometheus.ask('rules')) as {
        readonly groups: readonly {
          readonly rules: readonly { readonly health: string; readonly lastError?: string }[];
        }[];
      };
      return groups.flatMap(({ rules }) => rules);
    };
    while ((await health()).some((rule) => rule.health === 'unknown'))
      await delay(100, undefined, { signal });
    const rules = await health();
    assert.ok(rules.length > 10);
    assert.deepEqual(
      rules.filter((rule) => rule.health !== 'ok'),
      [],
    );
    const { alerts: firing } = (await prometheus.ask('alerts')) as { readonly alerts: readonly unknown[] };
    assert.deepEqual(firing, []);

    const empty = new Set<string>();
    for (const panel of dashboard.panels) {
      for (const expression of expressionsOf(panel)) {
        const { result } = await prometheus.query(withVariables(expression));
        if (result.length === 0) empty.add(panel.title);
      }
    }
    // What has not happened, and what a proxy has not.
    assert.deepEqual(
      [...empty],
      [
        'Turned away',
        'Packets',
        'Half open',
        'Not up',
        'Source ports in use',
        'Packets a call',
        'Waiting in the kernel',
        'Lost before a worker saw them',
        'Flow table',
        'Flows ended',
        'Worker restarts',
        'Tables behind',
        'For no service',
      ],
    );
  });
});
