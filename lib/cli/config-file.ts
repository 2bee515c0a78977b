/** A configuration file on disk. */
import { readFile } from 'node:fs/promises';
import type { ConfigText } from '../control/controllable.ts';
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
  return parseConfigText(await readConfigText(file));
}

/** @throws {SluiceError} with exit code 3. */
export async function readConfigText(file: string): Promise<ConfigText> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SluiceError(
      'ERR_SLUICE_CONFIG_UNREADABLE',
      `${file} cannot be read: ${reasons[error.code ?? ''] ?? error.message}`,
      { exitCode: ExitCode.configInvalid, remedy: 'name a configuration file with -f FILE', cause: error },
    );
  });
  return { text, file };
}

/** @throws {ConfigError} if it says something wrong. */
export async function parseConfigText({ text, file }: ConfigText): Promise<InstanceSpec> {
  const { parseConfig } = await import('../config/parse.ts');
  return parseConfig(text, file);
}
