/** What Linux says of a process and its children: processor time, memory, descriptors, cores. */
import { readdirSync, readFileSync } from 'node:fs';

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
  const ticks = family(pid).map((member) => {
    // After the program's name in parentheses, which may hold spaces: field 3 on (proc(5)); utime is 14, stime 15.
    const stat = readFileSync(`/proc/${member}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(stat[14 - 3]) + Number(stat[15 - 3]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / ticksPerSecond;
}

/** Resident memory of one process, in KiB. */
export function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
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
