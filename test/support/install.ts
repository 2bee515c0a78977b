/**
 * Brings the external peers onto a Debian machine, once: says in one line what it installs, starts no daemon,
 * and never fails a run by itself, since tests whose peer is absent skip themselves.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findProgram, findTool, packageOf, tools } from './tools.ts';

/** A package's start scripts ask this file whether they may start the daemon; 101 is no (Debian's invoke-rc.d). */
const startPolicy = '/usr/sbin/policy-rc.d';

/** Installs what is missing where that is possible: as root, on Debian. `say` gets one line for each event. */
export function installPeers(say: (line: string) => void): void {
  const packages = [...new Set(tools.filter((tool) => findTool(tool) === undefined).map(packageOf))];
  if (packages.length === 0) return;
  const list = packages.join(' ');
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) {
    say(`Not installed: ${list}. The tests that need them are skipped.`);
    return;
  }
  say(`Installing ${list}`);
  const failure = withoutStartingDaemons(() => apt(['update']) ?? apt(['install', '--yes', ...packages]));
  if (failure !== undefined) say(`Could not install them: ${failure}. The tests that need them are skipped.`);
}

/** Runs apt-get; returns why it failed, or undefined. */
function apt(args: readonly string[]): string | undefined {
  const options = ['--quiet', '--quiet', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const { status, error, stderr } = spawnSync('apt-get', [...options, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
  });
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? `apt-get ${args[0]} exited with ${status}`;
}

function withoutStartingDaemons<T>(action: () => T): T {
  if (existsSync(startPolicy)) return action();
  writeFileSync(startPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return action();
  } finally {
    rmSync(startPolicy);
  }
}
