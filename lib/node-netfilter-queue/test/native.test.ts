import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const { CC: compiler = 'cc' } = process.env;
const strict = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror'];
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Whether a program that does nothing can be built with those flags. */
function builds(flags: readonly string[]): boolean {
  const input = 'int main(void) { return 0; }';
  return spawnSync(compiler, [...flags, '-x', 'c', '-', '-o', '/dev/null'], { input }).status === 0;
}

const skip = !builds([]) && `there is no C compiler (${compiler})`;
const folder = mkdtempSync(join(tmpdir(), 'nfq-native-'));
after(() => rmSync(folder, { recursive: true }));

describe('in C', { skip }, () => {
  const flags = builds(sanitizers) ? [...strict, ...sanitizers] : strict;

  const run = (program: string, source: string): void => {
    const output = join(folder, program);
    execFileSync(compiler, [...flags, path(`native/${program}.c`), path(`../src/${source}`), '-o', output]);
    execFileSync(output, { stdio: 'pipe' });
  };

  it('the reader of messages stays within its bytes, whatever they are', () =>
    run('message-fuzz', 'message.c'));

  it('the checksum agrees with a naive one and stays within the packet', () =>
    run('checksum-twin', 'checksum.c'));
});
