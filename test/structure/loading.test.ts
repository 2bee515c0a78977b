import assert from 'node:assert/strict';
import { join } from 'node:path/posix';
import { describe, it } from 'node:test';
import { librarySources } from './sources.ts';

const sources = new Map(librarySources().map(({ path, text }) => [path, text]));

/** What a file loads as soon as it is loaded itself: not its types, and not what it asks for later. */
function loadedBy(path: string): string[] {
  const statements = sources
    .get(path)!
    .matchAll(/^(?:import|export)\s(?!type\b)(?:[^'";]*?\sfrom\s)?\s*'([^']+)'/gm);
  return Array.from(statements, ([, imported]) =>
    imported!.startsWith('.') ? join(path, '..', imported!) : imported!,
  );
}

function reachable(from: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const path of loadedBy(from)) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (sources.has(path)) reachable(path, seen);
  }
  return seen;
}

const nativePackages = ['node-linux-sockets', 'node-netfilter-queue'];

describe('what starts a proxy', () => {
  for (const start of ['lib/cli/program.ts', 'lib/daemon/run.ts']) {
    it(`loads nothing of the dashboard with ${start}`, () => {
      const packages = ['ink', 'react', 'react/jsx-runtime', 'string-width', '@alcalzone/ansi-tokenize'];
      const loaded = reachable(start);
      assert.deepEqual(
        packages.filter((name) => loaded.has(name)),
        [],
      );
    });

    it(`loads nothing of the packet path with ${start}`, () => {
      const loaded = reachable(start);
      assert.ok(loaded.size > 10);
      assert.deepEqual(
        [...loaded].filter((path) => path.startsWith('lib/datapath/') || nativePackages.includes(path)),
        [],
      );
    });
  }
});
