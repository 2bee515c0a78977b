/** From one HTTP request to one answer: finds the route, reads the body within bounds, turns errors into problems. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { ExitCode, SluiceError, usageError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import type { Controllable } from './controllable.ts';
import { httpStatusOf, toProblem } from './problem.ts';
import { type Answer, json, type Route } from './routes.ts';

/** Of a configuration file with some ten thousand backends. */
const longestBodyBytes = 1_048_576;

/** Answers from `routes` and from nothing else. What is not a `SluiceError` is a defect: logged, and hidden behind a 500. */
export function requestHandler(instance: Controllable, routes: readonly Route[], log: Log): RequestListener {
  return async (request, response) => {
    let answer: Answer;
    try {
      answer = await answerTo(request, response, instance, routes);
    } catch (error) {
      const problem = error instanceof SluiceError ? error : defect(error, log);
      answer = json(toProblem(problem), httpStatusOf(problem));
    }
    // Before the end of a request there is no telling where the next one would begin.
    if (!request.complete) response.setHeader('connection', 'close');
    response.writeHead(answer.status, {
      'content-type': answer.contentType,
      'content-length': Buffer.byteLength(answer.body),
    });
    response.end(answer.body);
  };
}

async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  instance: Controllable,
  routes: readonly Route[],
): Promise<Answer> {
  const { method = '', url = '' } = request;
  const [path = '', ...query] = url.split('?');
  const here = routes.flatMap((route) => {
    const parameters = match(route.path, path);
    return parameters === undefined ? [] : [{ route, parameters }];
  });
  if (here.length === 0) throw noSuchPath(path);
  const found = here.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found === undefined) {
    const allowed = here
      .flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]))
      .join(', ');
    response.setHeader('allow', allowed);
    throw methodNotAllowed(method, path, allowed);
  }
  const { route, parameters } = found;
  return route.answer(instance, {
    parameters: parameters.map(decode),
    query: new URLSearchParams(query.join('?')),
    body: route.method === 'GET' ? '' : await readBody(request),
  });
}

/** What stands in place of each `*`, still encoded; undefined if the path is another. */
function match(pattern: string, path: string): string[] | undefined {
  const expected = pattern.split('/');
  const given = path.split('/');
  if (expected.length !== given.length) return undefined;
  const fits = expected.every((segment, index) =>
    segment === '*' ? given[index] !== '' : segment === given[index],
  );
  return fits ? given.filter((_, index) => expected[index] === '*') : undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw usageError(`${JSON.stringify(segment)} is not a part of a path`, 'write % as %25');
  }
}

/** Rejects a body as soon as it is too long, and reads on without keeping it, so that the answer can be sent. */
function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > longestBodyBytes) reject(bodyTooLarge());
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString()));
    request.once('error', () => reject(usageError('the request ended early', 'send it whole')));
  });
}

function noSuchPath(path: string): SluiceError {
  return new SluiceError('ERR_SLUICE_NO_SUCH_PATH', `there is nothing at ${path}`, {
    exitCode: ExitCode.usage,
    remedy: 'ask for one of the paths in sluice(8)',
  });
}

function methodNotAllowed(method: string, path: string, allowed: string): SluiceError {
  return new SluiceError('ERR_SLUICE_METHOD_NOT_ALLOWED', `${path} does not take ${method}`, {
    exitCode: ExitCode.usage,
    remedy: `use ${allowed}`,
  });
}

function bodyTooLarge(): SluiceError {
  return new SluiceError('ERR_SLUICE_BODY_TOO_LARGE', 'the body of the request is too large', {
    exitCode: ExitCode.usage,
    remedy: `send at most ${longestBodyBytes} bytes`,
  });
}

function defect(error: unknown, log: Log): SluiceError {
  log.error('a control request failed', { error: error instanceof Error ? error.stack : String(error) });
  return new SluiceError('ERR_SLUICE_INTERNAL', 'the instance failed to answer', {
    remedy: 'look for the cause in its log',
  });
}
