/** What Linux says of a process and its children: processor time, memory, descriptors, cores. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** USER_HZ, in which /proc counts processor time: 100 on every platform that Node runs on. */
const ticksPerSecond = 100;

/** The process and all its descendants. */
function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

/** Seconds of processor time, user and system, that a process and its children have used so far. */
export function cpuSeconds(pid: number): number {
  const ticks = family(pid).map((member) => ticksIn(`/proc/${member}/stat`));
  return ticks.reduce((sum, each) => sum + each, 0) / ticksPerSecond;
}

/** The same of the threads of one process but for its main one, to the nanosecond. */
export function threadSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).filter((thread) => Number(thread) !== pid);
  return threads.reduce((sum, thread) => sum + nanosecondsOf(pid, thread), 0) / 1e9;
}

/** None of a thread that has ended meanwhile. */
function nanosecondsOf(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** User and system time together, of a process or a thread. */
function ticksIn(path: string): number {
  const stat = statFrom3(path);
  return Number(stat[14 - 3]) + Number(stat[15 - 3]);
}

/** Fields of proc(5) from the third on: the second is the program's name in parentheses, which may hold spaces. */
function statFrom3(path: string): string[] {
  return readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
}

/** Whether a signal has brought every thread of a process to a stand. */
export function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every(
    (thread) => statFrom3(`/proc/${pid}/task/${thread}/stat`)[0] === 'T',
  );
}

/** Resident memory of one process, in KiB. */
export function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Resident memory of one process in mappings without a file of `leastKiB` or more: in large tables, not in heaps. */
export function residentInTablesKiB(pid: number, leastKiB: number): number {
  const mappings = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const kib = (mapping: string, field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(mapping)?.[1] ?? 0);
  return mappings
    .filter((mapping) => !/^.*[/[]/.test(mapping.split('\n')[0]!) && kib(mapping, 'Rss') >= leastKiB)
    .reduce((sum, mapping) => sum + kib(mapping, 'Rss'), 0);
}

/** How many descriptors a process holds open. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The cores that this process may run on, by number. */
export function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s+(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The thread of a process, other than its main one, that waits for something most often these `ms`; its number. */
export async function busiestThread(pid: number, ms: number): Promise<number> {
  const before = waitsOf(pid);
  await delay(ms);
  const since = [...waitsOf(pid)].map(
    ([thread, waits]) => [thread, waits - (before.get(thread) ?? 0)] as const,
  );
  return since
    .filter(([thread]) => thread !== pid)
    .reduce((most, other) => (other[1] > most[1] ? other : most))[0];
}

/** How often each thread has waited so far, by its number. */
function waitsOf(pid: number): ReadonlyMap<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`);
  return new Map(
    threads.map((thread) => {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      return [Number(thread), Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1])];
    }),
  );
}
