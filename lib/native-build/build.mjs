/**
 * Builds the native part of the package in the working directory from its src/*.c: `node build.mjs [x64|arm64 …]`,
 * for this machine if nothing is named.
 *
 * One shared object per machine type serves every Node version (it uses Node-API, and of Node's own C libraries only
 * what never changes), every glibc and musl: it is linked against no library by name, so the few C functions it needs
 * bind to those that Node has loaded. Where no compiler is found, that is said and is no error: the package installs
 * and throws an error with a code of its own when it is used.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
const crossCompilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };

const includes = [
  `-I${createRequire(resolve('package.json'))('node-api-headers').include_dir}`,
  `-I${fileURLToPath(new URL('include', import.meta.url))}`,
];

const flags = [
  '-std=gnu11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-fPIC',
  '-fvisibility=hidden',
  '-fstack-protector-strong',
  // Checked variants of the C library's functions exist in glibc only.
  '-U_FORTIFY_SOURCE',
  '-shared',
  '-nostdlib',
  '-Wl,-z,relro,-z,now',
  '-s',
];

const sources = readdirSync('src')
  .filter((file) => file.endsWith('.c'))
  .map((file) => join('src', file));

function compilerFor(arch) {
  return arch === process.arch ? (process.env.CC ?? 'cc') : crossCompilers[arch];
}

/** Why this machine cannot build for `arch`, or undefined if it can. */
function obstacle(arch) {
  if (process.platform !== 'linux') return 'it is for Linux alone';
  const compiler = compilerFor(arch);
  if (compiler === undefined) return 'no compiler is known for it';
  const probe = spawnSync(compiler, ['-E', ...includes, ...sources], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (probe.error !== undefined) return `there is no ${compiler}`;
  return probe.status === 0 ? undefined : `${compiler} lacks a header: ${probe.stderr.split('\n')[0]}`;
}

function build(arch) {
  const folder = join('prebuilds', `linux-${arch}`);
  mkdirSync(folder, { recursive: true });
  const output = join(folder, `${name}.node`);
  execFileSync(compilerFor(arch), [...flags, ...includes, ...sources, '-o', output], { stdio: 'inherit' });
}

for (const arch of process.argv.length > 2 ? process.argv.slice(2) : [process.arch]) {
  const reason = obstacle(arch);
  if (reason === undefined) build(arch);
  else console.error(`${name}: no native part for linux-${arch}: ${reason}`);
}
