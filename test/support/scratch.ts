/** A directory of a test's own, which goes away with the test. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch {
  readonly path: string;
  /** Writes a file into the directory and returns its path. */
  write(name: string, content: string): string;
  /** What a file of the directory says. */
  read(name: string): string;
  remove(): void;
}

const existing = new Set<string>();
process.once('exit', () => existing.forEach(remove));

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
  existing.delete(path);
}

/** Makes a directory; what a test does not remove itself is removed when its process ends. */
export function scratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'sluice-'));
  existing.add(path);
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
    read: (name) => readFileSync(join(path, name), 'utf8'),
    remove: () => remove(path),
  };
}
