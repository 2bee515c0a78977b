/**
 * The programs of other people that tests and benchmarks run against, and the Debian package of each.
 * A test that needs one says `skip: missing('wrk')`; `install.ts` installs what is not there.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const nginxStreamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';
/** Of Debian's own Python, /usr/bin/python3, whatever else is in PATH. */
const scapyModule = '/usr/lib/python3/dist-packages/scapy/__init__.py';

/** Each tool's Debian package; a tool with a `path` is a file and not a program in PATH. */
const catalogue = {
  nginx: { package: 'nginx-light' },
  'nginx-stream': { package: 'libnginx-mod-stream', path: nginxStreamModule },
  haproxy: { package: 'haproxy' },
  wrk: { package: 'wrk' },
  iperf3: { package: 'iperf3' },
  knotd: { package: 'knot' },
  dnsperf: { package: 'dnsperf' },
  python3: { package: 'python3' },
  scapy: { package: 'python3-scapy', path: scapyModule },
  curl: { package: 'curl' },
  ip: { package: 'iproute2' },
  iptables: { package: 'iptables' },
  nft: { package: 'nftables' },
  ping: { package: 'iputils-ping' },
  tshark: { package: 'tshark' },
  tcpdump: { package: 'tcpdump' },
  ethtool: { package: 'ethtool' },
  'linux.uml': { package: 'user-mode-linux' },
  modprobe: { package: 'kmod' },
  busybox: { package: 'busybox-static' },
  prometheus: { package: 'prometheus' },
  promtool: { package: 'prometheus' },
  tmux: { package: 'tmux' },
} as const satisfies Record<string, { package: string; path?: string }>;

export type Tool = keyof typeof catalogue;

export const tools = Object.keys(catalogue) as readonly Tool[];

/** Servers live in sbin, which is not in everybody's PATH. */
const { PATH = '' } = process.env;
const directories = [...PATH.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The absolute path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  return directories.map((directory) => join(directory, name)).find(isUsable);
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, /\.(so|py)$/.test(path) ? constants.R_OK : constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The absolute path of a tool, or undefined. */
export function findTool(tool: Tool): string | undefined {
  const entry: { package: string; path?: string } = catalogue[tool];
  if (entry.path === undefined) return findProgram(tool);
  return isUsable(entry.path) ? entry.path : undefined;
}

/** The absolute path of a tool; throws where a test forgot to skip itself. */
export function toolPath(tool: Tool): string {
  const path = findTool(tool);
  if (path === undefined) throw new Error(`${tool} is not installed: ${remedy([tool])}`);
  return path;
}

export function packageOf(tool: Tool): string {
  return catalogue[tool].package;
}

/** What `skip` of a test wants: why it cannot run, with the remedy, or false when every tool is there. */
export function missing(...needed: readonly Tool[]): string | false {
  const absent = needed.filter((tool) => findTool(tool) === undefined);
  return absent.length > 0 && `needs ${absent.join(', ')}: ${remedy(absent)}`;
}

function remedy(absent: readonly Tool[]): string {
  return `apt-get install ${absent.map(packageOf).join(' ')}`;
}
