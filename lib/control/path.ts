/**
 * Where the control socket of an instance lies, and which instances there are. Server and client follow the same rule,
 * so that a name is all that they need to share; an instance started with `--control` is found by that path alone.
 *
 *   root                 /run/sluice/NAME.sock
 *   a login session      $XDG_RUNTIME_DIR/sluice/NAME.sock
 *   everyone else        /tmp/sluice-UID/NAME.sock
 */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ExitCode, SluiceError, usageError } from '../model/errors.ts';
import { isListening } from './socket.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const extension = '.sock';

/** The path that belongs to the instance `name` of the user `uid`. Throws ERR_SLUICE_USAGE if it cannot be a file's. */
export function controlPath(
  name: string,
  env: Environment = process.env,
  uid: number = process.getuid!(),
): string {
  if (name === '' || name.includes('/')) {
    throw usageError(
      `${JSON.stringify(name)} is not a name for an instance`,
      'use letters, digits, dots and hyphens',
    );
  }
  return join(runtimeDirectory(env, uid), `${name}${extension}`);
}

/** The directory of a user's running instances: of their control sockets, and of what they have to undo. */
export function runtimeDirectory(
  { XDG_RUNTIME_DIR: ofSession = '' }: Environment = process.env,
  uid: number = process.getuid!(),
): string {
  if (uid === 0) return '/run/sluice';
  // The XDG Base Directory Specification has relative paths ignored.
  return isAbsolute(ofSession) ? join(ofSession, 'sluice') : join(tmpdir(), `sluice-${uid}`);
}

export interface RunningInstance {
  readonly name: string;
  /** Path of its control socket. */
  readonly control: string;
}

/** The user's instances whose sockets answer, by name; what a crash left behind is not among them. */
export async function listInstances(
  env: Environment = process.env,
  uid: number = process.getuid!(),
): Promise<readonly RunningInstance[]> {
  const directory = runtimeDirectory(env, uid);
  const files = await readdir(directory).catch(() => []);
  const candidates = files
    .filter((file) => file.endsWith(extension))
    .sort()
    .map((file) => ({ name: file.slice(0, -extension.length), control: join(directory, file) }));
  const answers = await Promise.all(candidates.map(({ control }) => isListening(control)));
  return candidates.filter((_, index) => answers[index]);
}

/** What a person said about the instance they mean; nothing at all means the only one. */
export interface Wanted {
  readonly name?: string | undefined;
  readonly control?: string | undefined;
}

/**
 * The control socket of the wanted instance: `control` as it is, else that of `name`, else that of the only instance.
 * Rejects with ERR_SLUICE_NO_INSTANCE where none runs and with ERR_SLUICE_SEVERAL_INSTANCES where it takes a choice.
 */
export async function findControl(
  { name, control }: Wanted,
  env: Environment = process.env,
  uid: number = process.getuid!(),
): Promise<string> {
  if (control !== undefined) return control;
  if (name !== undefined) {
    const path = controlPath(name, env, uid);
    if (await isListening(path)) return path;
    throw noInstance(`no instance called ${name} is running`);
  }
  const [only, ...others] = await listInstances(env, uid);
  if (only === undefined) throw noInstance('no instance is running');
  if (others.length === 0) return only.control;
  const names = [only, ...others].map((instance) => instance.name).join(', ');
  throw new SluiceError('ERR_SLUICE_SEVERAL_INSTANCES', `several instances are running: ${names}`, {
    exitCode: ExitCode.usage,
    remedy: 'choose one with --name',
  });
}

/** Nobody is there to ask: exit code 5. */
export function noInstance(message: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_SLUICE_NO_INSTANCE', message, {
    exitCode: ExitCode.notReached,
    remedy: 'start one, or point to it with --name NAME or --control PATH',
    cause,
  });
}
