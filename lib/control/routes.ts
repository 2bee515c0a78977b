/**
 * What an instance answers over HTTP, path by path. No streams, no sockets: a request is its parts, an answer is data,
 * and whatever is thrown is a `SluiceError` that becomes the answer.
 */
import { formatMetrics } from '../metrics/collect.ts';
import { expositionContentType } from '../metrics/exposition.ts';
import { readProcess } from '../metrics/process.ts';
import type { Controllable } from './controllable.ts';
import { parsePatch } from './patch.ts';
import { toPortable } from './portable.ts';
import { parseFlowQuery, parseFlowTuples, parseTraced, parseWhole } from './query.ts';

export interface RouteRequest {
  /** What stands in place of each `*` of the route's path, decoded. */
  readonly parameters: readonly string[];
  readonly query: URLSearchParams;
  /** Empty unless the method is PATCH or POST. */
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Route {
  readonly method: 'GET' | 'PATCH' | 'POST';
  /** Segments, of which `*` matches any one. */
  readonly path: string;
  readonly answer: (instance: Controllable, request: RouteRequest) => Answer | Promise<Answer>;
}

/** What anybody may see: served on the metrics port as well. */
export const openRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/metrics',
    answer: async (instance) => ({
      status: 200,
      contentType: expositionContentType,
      body: formatMetrics({
        process: await readProcess(),
        nowSeconds: Date.now() / 1e3,
        ready: instance.ready,
        status: instance.status(),
        backends: instance.backends(),
        paths: instance.paths(),
      }),
    }),
  },
  { method: 'GET', path: '/livez', answer: () => text(200, 'ok') },
  {
    method: 'GET',
    path: '/readyz',
    answer: ({ ready }) => (ready ? text(200, 'ok') : text(503, 'not ready')),
  },
];

/** What the control socket serves. */
export const controlRoutes: readonly Route[] = [
  ...openRoutes,
  { method: 'GET', path: '/v1/status', answer: (instance) => json(instance.status()) },
  { method: 'GET', path: '/v1/backends', answer: (instance) => json({ backends: instance.backends() }) },
  { method: 'GET', path: '/v1/paths', answer: (instance) => json({ paths: instance.paths() }) },
  {
    method: 'GET',
    path: '/v1/flows',
    answer: (instance, { query }) => json(instance.flows(parseFlowQuery(query))),
  },
  {
    method: 'GET',
    path: '/v1/history',
    answer: (instance, { query }) => json(instance.history(parseWhole(query, 'last', 300))),
  },
  {
    method: 'GET',
    path: '/v1/log',
    answer: (instance, { query }) => json(instance.log(parseWhole(query, 'after', 0))),
  },
  {
    method: 'PATCH',
    path: '/v1/backends/*',
    answer: (instance, { parameters: [backend], body }) =>
      json({ backends: instance.patchBackend(undefined, backend!, parsePatch(body)) }),
  },
  {
    method: 'PATCH',
    path: '/v1/services/*/backends/*',
    answer: (instance, { parameters: [service, backend], body }) =>
      json({ backends: instance.patchBackend(service, backend!, parsePatch(body)) }),
  },
  { method: 'POST', path: '/v1/reload', answer: async (instance) => json(await instance.reload()) },
  {
    method: 'POST',
    path: '/v1/plan',
    answer: async (instance, { body: text, query }) =>
      json(await instance.plan(text === '' ? undefined : { text, file: query.get('file') ?? 'the request' })),
  },
  {
    method: 'GET',
    path: '/v1/trace',
    answer: async (instance, { query }) => json(await instance.trace(parseTraced(query))),
  },
  {
    method: 'POST',
    path: '/v1/trace/tables',
    answer: (instance, { body }) => ({
      status: 200,
      contentType: 'application/json',
      body: toPortable(instance.snapshots(parseFlowTuples(body))),
    }),
  },
  {
    method: 'POST',
    path: '/v1/stop',
    answer(instance) {
      // A stop with nothing to drain may end the process at once: the answer, written in this turn, goes first.
      setImmediate(() => instance.stop());
      return json({ state: 'draining' }, 202);
    },
  },
];

/** One JSON document on one line. */
export function json(document: unknown, status = 200): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(document)}\n` };
}

function text(status: number, line: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${line}\n` };
}
