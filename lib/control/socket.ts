/**
 * Unix sockets in the file system, bound so that it is never in doubt whose a file is. A socket is bound under a passing
 * name and then linked to its own, which fails where something stands already:
 *
 *   bind     DIR/.3f-A                     mode 0600 from the first moment
 *   link     DIR/.3f-A -> DIR/web.sock     taken? by the living: an error; by the dead: removed, once more
 *   unlink   DIR/.3f-A
 *
 * A closing server has Node unlink the name that it was bound to, whoever owns that by then: this way it is one that is
 * gone, and the other is removed by its owner only.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { linkSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { ExitCode, SluiceError } from '../model/errors.ts';

/** unix(7): `sun_path` has 108 bytes, the last of which is zero. What is longer would be cut off in silence. */
const longestPathBytes = 107;

const ownDirectory = 'choose a path in a directory of your own with --control';

/** Whether anybody listens at `path`. A listener that may not be talked to, or is too busy to, is one nevertheless. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT' && code !== 'ENOTDIR');
    });
  });
}

/**
 * Makes `server` listen at `path`, for its own user `uid` only; the directory is made if only it is missing. Resolves to
 * the function that removes the file, unless another has taken its place, to be called while the server still listens.
 * Rejects with ERR_SLUICE_CONTROL_IN_USE, _NOT_WRITABLE or _PATH_TOO_LONG, and leaves no file behind then.
 */
export async function bindSocket(
  server: Server,
  path: string,
  uid: number = process.getuid!(),
): Promise<() => void> {
  const directory = dirname(path);
  const passing = join(directory, `.${randomBytes(3).toString('base64url')}`);
  if ([path, passing].some((each) => Buffer.byteLength(each) > longestPathBytes)) throw tooLong(path);
  try {
    makeDirectory(directory, uid);
    if (uid !== 0 && ![0, uid].includes(statSync(directory).uid)) throw foreign(directory);
    await listenPrivately(server, passing);
    await claim(path, passing);
    unlinkSync(passing);
  } catch (error) {
    // Which removes the passing name.
    server.close();
    throw error instanceof SluiceError ? error : notWritable(path, error);
  }
  const own = lstatSync(path);
  return () => {
    if (isSame(own, path)) unlinkSync(path);
  };
}

function makeDirectory(directory: string, uid: number): void {
  try {
    mkdirSync(directory, uid === 0 ? 0o755 : 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Linux asks for write permission on the file: a mode that is narrowed only afterwards comes too late. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const previousMask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(previousMask);
  }
  await once(server, 'listening');
}

/** Gives the bound socket at `passing` the name `path` as well. */
async function claim(path: string, passing: string): Promise<void> {
  for (;;) {
    try {
      linkSync(passing, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (!found.isSocket()) throw notASocket(path);
    if (await isListening(path)) throw inUse(path);
    if (isSame(found, path)) unlinkSync(path);
  }
}

function isSame(known: { readonly dev: number; readonly ino: number }, path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.dev === known.dev && found.ino === known.ino;
}

function inUse(path: string): SluiceError {
  return new SluiceError('ERR_SLUICE_CONTROL_IN_USE', `an instance is already running at ${path}`, {
    remedy: 'give this one another --name, or stop the other with `sluice stop`',
  });
}

function notASocket(path: string): SluiceError {
  return new SluiceError('ERR_SLUICE_CONTROL_IN_USE', `${path} exists and is not a socket`, {
    remedy: 'choose another path with --control',
  });
}

/** Its owner could put a socket of their own in place of ours: in /tmp anybody may have been here first. */
function foreign(directory: string): SluiceError {
  return new SluiceError('ERR_SLUICE_CONTROL_NOT_WRITABLE', `${directory} belongs to another user`, {
    exitCode: ExitCode.missing,
    remedy: ownDirectory,
  });
}

function notWritable(path: string, cause: unknown): SluiceError {
  const { code } = cause as NodeJS.ErrnoException;
  return new SluiceError(
    'ERR_SLUICE_CONTROL_NOT_WRITABLE',
    `no control socket can be made at ${path} (${code})`,
    {
      exitCode: ExitCode.missing,
      remedy: ownDirectory,
      cause,
    },
  );
}

function tooLong(path: string): SluiceError {
  return new SluiceError(
    'ERR_SLUICE_CONTROL_PATH_TOO_LONG',
    `the path of the control socket is too long: ${path}`,
    // Short enough for the passing name in the same directory as well.
    { exitCode: ExitCode.usage, remedy: 'choose one of at most 100 bytes with --control' },
  );
}
