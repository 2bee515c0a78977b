/**
 * Which network namespaces there still are. One lives for as long as a process is in it or a file is mounted on it,
 * as ip-netns(8) does; each mount namespace has files of its own.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether a network namespace (`net:[4026531840]`) exists; where other people's processes cannot be seen, it may. */
export function namespaceExists(networkNamespace: string): boolean {
  const seesAll = process.geteuid!() === 0;
  const looked = new Set<string>();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/ns/net`) === networkNamespace) return true;
        const mounts = readlinkSync(`/proc/${pid}/ns/mnt`);
        if (looked.has(mounts)) return false;
        looked.add(mounts);
        return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(` ${networkNamespace} `);
      } catch (error) {
        // It has ended, or it is not ours to see: root is denied only what is closed to everyone.
        return !seesAll && (error as NodeJS.ErrnoException).code === 'EACCES';
      }
    });
}
