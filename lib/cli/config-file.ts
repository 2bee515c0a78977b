/** A configuration file on disk. */
import { readFile } from 'node:fs/promises';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { InstanceSpec } from '../model/spec.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

/** @throws {SluiceError} with exit code 3, whether the file cannot be read or says something wrong. */
export async function readConfigFile(file: string): Promise<InstanceSpec> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SluiceError(
      'ERR_SLUICE_CONFIG_UNREADABLE',
      `${file} cannot be read: ${reasons[error.code ?? ''] ?? error.message}`,
      { exitCode: ExitCode.configInvalid, remedy: 'name a configuration file with -f FILE', cause: error },
    );
  });
  const { parseConfig } = await import('../config/parse.ts');
  return parseConfig(text, file);
}
