/**
 * The other end of the control socket: what a `Controllable` does, asked from another process. Errors arrive as they were
 * thrown there; where nobody answers, the exit code is 5. undici is loaded by the first call, so that commands which
 * make none do not pay for it.
 */
import type { Client } from 'undici';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { formatFlowTuple } from '../hash/flow-tuple.ts';
import { reasonOf, timedOut } from '../health/reason.ts';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { PlanView } from '../model/plan.ts';
import type { TraceView } from '../model/trace.ts';
import type { BackendView, FlowsView, HistoryView, LogView, PathView, StatusView } from '../model/view.ts';
import type { BackendPatch, ConfigText } from './controllable.ts';
import { noInstance } from './path.ts';
import { fromPortable } from './portable.ts';
import { fromProblem } from './problem.ts';
import { formatFlowQuery, formatTraced } from './query.ts';
import type { ReachableInstance } from './reachable.ts';

/** Half of what a request may hold. */
const tuplesPerQuestion = 5_000;

/** A reload may have names to look up; all else is answered at once or never. */
const answerTimeoutMs = 30_000;

interface Call {
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
}

/** Talks to the instance at `socketPath`, over one connection that is opened by need and kept between calls. */
export class ControlClient implements ReachableInstance {
  readonly socketPath: string;
  #client: Promise<Client> | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  status(): Promise<StatusView> {
    return this.#askJson({ method: 'GET', path: '/v1/status' });
  }

  async backends(): Promise<readonly BackendView[]> {
    return (await this.#askJson<{ backends: BackendView[] }>({ method: 'GET', path: '/v1/backends' }))
      .backends;
  }

  async paths(): Promise<readonly PathView[]> {
    return (await this.#askJson<{ paths: PathView[] }>({ method: 'GET', path: '/v1/paths' })).paths;
  }

  flows(query: FlowQuery): Promise<FlowsView> {
    return this.#askJson({ method: 'GET', path: `/v1/flows?${formatFlowQuery(query)}` });
  }

  history(steps: number): Promise<HistoryView> {
    return this.#askJson({ method: 'GET', path: `/v1/history?last=${steps}` });
  }

  /** See `Controllable.log`. */
  log(after: number): Promise<LogView> {
    return this.#askJson({ method: 'GET', path: `/v1/log?after=${after}` });
  }

  /** See `Controllable.patchBackend`. */
  async patchBackend(
    service: string | undefined,
    backend: string,
    patch: BackendPatch,
  ): Promise<readonly BackendView[]> {
    const within = service === undefined ? '' : `/services/${encodeURIComponent(service)}`;
    const path = `/v1${within}/backends/${encodeURIComponent(backend)}`;
    return (await this.#askJson<{ backends: BackendView[] }>({ method: 'PATCH', path, body: patch }))
      .backends;
  }

  reload(): Promise<PlanView> {
    return this.#askJson({ method: 'POST', path: '/v1/reload' });
  }

  /** See `Controllable.plan`. */
  plan(instead?: ConfigText): Promise<PlanView> {
    if (instead === undefined) return this.#askJson({ method: 'POST', path: '/v1/plan' });
    const path = `/v1/plan?file=${encodeURIComponent(instead.file)}`;
    return this.#askJson({ method: 'POST', path, text: instead.text });
  }

  /** See `Controllable.trace`. */
  trace(flow: FlowTuple): Promise<TraceView> {
    return this.#askJson({ method: 'GET', path: `/v1/trace?${formatTraced(flow)}` });
  }

  /** See `Controllable.snapshots`; of more flows than fit one question, at several moments. */
  async snapshots(tuples: readonly FlowTuple[]): Promise<readonly PathSnapshot[]> {
    let snapshots: readonly PathSnapshot[] = [];
    for (let first = 0; first === 0 || first < tuples.length; first += tuplesPerQuestion) {
      const lines = tuples
        .slice(first, first + tuplesPerQuestion)
        .map((tuple) => `${formatFlowTuple(tuple).join(' ')}\n`);
      const text = await this.#ask({ method: 'POST', path: '/v1/trace/tables', text: lines.join('') });
      snapshots = fromPortable<readonly PathSnapshot[]>(text).map((snapshot, path) => ({
        ...snapshot,
        flows: [...(snapshots[path]?.flows ?? []), ...snapshot.flows],
      }));
    }
    return snapshots;
  }

  /** Resolves once the instance has heard it, which is before it has stopped. */
  async stop(): Promise<void> {
    await this.#ask({ method: 'POST', path: '/v1/stop' });
  }

  /** Prometheus text. */
  metrics(): Promise<string> {
    return this.#ask({ method: 'GET', path: '/metrics' });
  }

  /** Ends the connection; calls under way are rejected. An idle client does not keep the process alive anyway. */
  async close(): Promise<void> {
    await (await this.#client)?.destroy();
  }

  /** The instance's documents are taken at their word: it is the same program, and new fields do no harm. */
  async #askJson<Document>(call: Call): Promise<Document> {
    const document = parseJson(await this.#ask(call));
    if (document === undefined) throw this.#notSluice();
    return document as Document;
  }

  async #ask({ method, path, ...sent }: Call): Promise<string> {
    this.#client ??= openClient(this.socketPath);
    const client = await this.#client;
    let status: number;
    let text: string;
    try {
      const response = await client.request({
        method,
        path,
        ...bodyOf(sent),
      });
      status = response.statusCode;
      text = await response.body.text();
    } catch (error) {
      throw this.#unanswered(error);
    }
    if (status < 300) return text;
    throw fromProblem(parseJson(text)) ?? this.#notSluice();
  }

  #unanswered(error: unknown): SluiceError {
    const { code, name } = error as NodeJS.ErrnoException;
    const at = this.socketPath;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
      return noInstance(`no instance answers at ${at}`, error);
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return new SluiceError('ERR_SLUICE_CONTROL_DENIED', `the instance at ${at} belongs to another user`, {
        exitCode: ExitCode.missing,
        remedy: 'run this command as that user, or as root',
        cause: error,
      });
    }
    if (name === 'HTTPParserError') return this.#notSluice();
    const reason = /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code ?? '') ? timedOut : reasonOf(error);
    return new SluiceError('ERR_SLUICE_NO_ANSWER', `the instance at ${at} did not answer: ${reason}`, {
      exitCode: ExitCode.notReached,
      remedy: 'look whether it still runs, and try again',
      cause: error,
    });
  }

  #notSluice(): SluiceError {
    return new SluiceError('ERR_SLUICE_NOT_AN_INSTANCE', `what answers at ${this.socketPath} is not sluice`, {
      exitCode: ExitCode.notReached,
      remedy: 'point to the control socket of an instance with --control PATH',
    });
  }
}

function bodyOf({ body, text }: Pick<Call, 'body' | 'text'>) {
  if (text !== undefined) return { body: text, headers: { 'content-type': 'text/plain; charset=utf-8' } };
  if (body === undefined) return {};
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

async function openClient(socketPath: string): Promise<Client> {
  const { Client } = await import('undici');
  return new Client('http://sluice', {
    connect: { socketPath },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
