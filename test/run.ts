/**
 * `npm test`: installs the external peers, runs the test files with Node's own runner and ends with its totals.
 * Files that load the whole machine run one at a time, after all others.
 *
 *   npm test                   every test but the long ones
 *   npm test -- test/hash      only files whose path begins so
 *   npm test -- --unit         only files that do not load the machine
 *   npm run test:long          the long ones too (`*.long.test.ts`)
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPeers } from './support/install.ts';
import { Tally } from './support/tally.ts';

/** Packages beside the floors, with tests of their own. */
const packageTests = ['lib/node-linux-sockets/test', 'lib/node-netfilter-queue/test'];

/** Folders whose files run alone: they start peers and loads, and measure or count what these do. */
const aloneFolders = ['test/e2e', 'test/pack', 'test/support', ...packageTests];

const fileTimeoutMs = 300_000;
const longFileTimeoutMs = 3_600_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false }, unit: { type: 'boolean', default: false } },
});

function isWanted(file: string): boolean {
  if (!/\.test\.tsx?$/.test(file)) return false;
  if (!values.long && /\.long\.test\.tsx?$/.test(file)) return false;
  if (values.unit && runsAlone(file)) return false;
  return positionals.length === 0 || positionals.some((start) => file.startsWith(normalize(start)));
}

function runsAlone(file: string): boolean {
  return aloneFolders.some((folder) => file.startsWith(`${folder}/`));
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const files = ['test', ...packageTests]
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter(isWanted)
  .sort();
if (files.length === 0) throw new Error(`no test file matches ${positionals.join(' or ')}`);

installPeers((line) => console.log(line));

const tally = new Tally();

async function* events() {
  const timeout = values.long ? longFileTimeoutMs : fileTimeoutMs;
  const groups = [
    { files: files.filter((file) => !runsAlone(file)), concurrency: availableParallelism() },
    { files: files.filter(runsAlone), concurrency: 1 },
  ];
  for (const group of groups) {
    if (group.files.length > 0) yield* tally.watch(run({ ...group, timeout }));
  }
}

await pipeline(events, new spec(), process.stdout, { end: false });
console.log(tally.summary().join('\n'));
process.exitCode = tally.succeeded() ? 0 : 1;
