/** What `sluice doctor` is to look at: the services of a file, or else those of the instances that run. */
import { readlinkSync } from 'node:fs';
import type { Subject } from '../doctor/subject.ts';
import type { StatusView } from '../model/view.ts';
import { readConfigFile } from './config-file.ts';

/** Rejects with a SluiceError if the file is none, or if a name in it has no address. */
export async function findSubject(file: string | undefined): Promise<Subject> {
  const [{ subjectOf, subjectOfRunning }, running] = await Promise.all([
    import('../doctor/subject.ts'),
    askAll(),
  ]);
  if (file === undefined) return subjectOfRunning(running);
  const { resolveHosts } = await import('../daemon/resolve.ts');
  const spec = await readConfigFile(file);
  return subjectOf(spec, await resolveHosts(spec), running);
}

/** The documents of every instance of this user and this network; one that ends meanwhile is left out. */
async function askAll() {
  const [{ ControlClient }, { listInstances }] = await Promise.all([
    import('../control/client.ts'),
    import('../control/path.ts'),
  ]);
  const answers = (await listInstances()).map(async ({ control }) => {
    const client = new ControlClient(control);
    try {
      const status: StatusView = await client.status();
      return [{ ...status, backends: await client.backends() }];
    } catch {
      return [];
    } finally {
      await client.close();
    }
  });
  const all = (await Promise.all(answers)).flat();
  return all.filter(({ pid }) => networkOf(pid) === networkOf('self'));
}

/** The network namespace of a process; undefined where there are none. */
function networkOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
