/**
 * Builds the native part: `node build.mjs [x64|arm64 …]`, for this machine if nothing is named.
 *
 * One shared object per machine type serves every Node version (it uses Node-API only), every glibc and musl:
 * it is linked against no library by name, so the few C functions it needs bind to those that Node has loaded.
 * Where no compiler is found, that is said and is no error: the package installs and answers ERR_NFQ_NO_BINARY.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const crossCompilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };

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

/** What has to be there besides the compiler. */
const headers = `
#include <sys/socket.h>
#include <linux/netfilter/nfnetlink_queue.h>
`;

function compilerFor(arch) {
  return arch === process.arch ? (process.env.CC ?? 'cc') : crossCompilers[arch];
}

/** Why this machine cannot build for `arch`, or undefined if it can. */
function obstacle(arch) {
  if (process.platform !== 'linux') return 'NFQUEUE is a part of Linux';
  const compiler = compilerFor(arch);
  if (compiler === undefined) return 'no compiler is known for it';
  const probe = spawnSync(compiler, ['-E', '-x', 'c', '-', '-o', '/dev/null'], { input: headers });
  if (probe.error !== undefined) return `there is no ${compiler}`;
  return probe.status === 0 ? undefined : `${compiler} finds no C library or Linux headers`;
}

function build(arch) {
  const folder = join(root, 'prebuilds', `linux-${arch}`);
  const output = join(folder, 'node-netfilter-queue.node');
  const nodeApi = createRequire(import.meta.url)('node-api-headers').include_dir;
  const sources = readdirSync(join(root, 'src'))
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(root, 'src', name));
  mkdirSync(folder, { recursive: true });
  execFileSync(compilerFor(arch), [...flags, `-I${nodeApi}`, ...sources, '-o', output], { stdio: 'inherit' });
}

for (const arch of process.argv.length > 2 ? process.argv.slice(2) : [process.arch]) {
  const reason = obstacle(arch);
  if (reason === undefined) build(arch);
  else console.error(`node-netfilter-queue: no native part for linux-${arch}: ${reason}`);
}
