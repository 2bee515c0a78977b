/** Which of this machine's addresses it has towards a backend: what the backend will see, and can answer to. */
import { ExitCode, SluiceError } from '../model/errors.ts';
import { CommandError, type Run } from './kernel/command.ts';

interface Route {
  readonly prefsrc?: string;
}

/** The source address that the kernel would choose for a connection to `backend`. Rejects with ERR_SLUICE_NO_ROUTE. */
export async function ownAddressTowards(backend: string, run: Run): Promise<string> {
  let complaint = 'no source address';
  try {
    const [route] = JSON.parse(await run('ip', ['-json', 'route', 'get', backend])) as readonly Route[];
    if (route?.prefsrc !== undefined) return route.prefsrc;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    complaint = error.message;
  }
  throw new SluiceError(
    'ERR_SLUICE_NO_ROUTE',
    `there is no way from here to the backend ${backend}: ${complaint}`,
    {
      exitCode: ExitCode.missing,
      remedy: `add a route to it, or name the source address with --snat`,
    },
  );
}
