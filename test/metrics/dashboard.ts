/** The dashboard that travels with sluice, as the tests see it. */
import { readFileSync } from 'node:fs';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

export const dashboard: Dashboard = JSON.parse(
  readFileSync(new URL('../../lib/metrics/grafana-dashboard.json', import.meta.url), 'utf8'),
);

export function expressionsOf({ targets = [] }: Panel): readonly string[] {
  return targets.map(({ expr }) => expr);
}

/** An expression as Grafana sends it when nothing was chosen. */
export function withVariables(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance|service)/g, '.*');
}
