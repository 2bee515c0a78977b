/** The machine's way to a backend: what the backend will see and can answer to, and what fits through. */
import { ExitCode, SluiceError } from '../model/errors.ts';
import { CommandError, type Run } from './kernel/command.ts';

export interface Route {
  /** The source address that the kernel would choose. */
  readonly source: string;
  readonly device: string;
  /** Whether the next hop is the backend itself. */
  readonly onLink: boolean;
  /** What is known of the way beyond the first link, if anything is. */
  readonly pathMtuBytes: number | undefined;
}

/** What `ip -json route get` says. */
interface ShownRoute {
  readonly prefsrc?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly metrics?: readonly { readonly mtu?: number }[];
}

/** Asks the kernel. Rejects with ERR_SLUICE_NO_ROUTE, whose remedy is to add a route or what `otherwise` says. */
export async function routeTo(backend: string, run: Run, otherwise: string): Promise<Route> {
  let complaint = 'no source address';
  try {
    const [route] = JSON.parse(await run('ip', ['-json', 'route', 'get', backend])) as readonly ShownRoute[];
    if (route?.prefsrc !== undefined && route.dev !== undefined) {
      const { prefsrc: source, dev: device, gateway, metrics } = route;
      const pathMtuBytes = metrics?.find(({ mtu }) => mtu !== undefined)?.mtu;
      return { source, device, onLink: gateway === undefined, pathMtuBytes };
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    complaint = error.message;
  }
  throw new SluiceError(
    'ERR_SLUICE_NO_ROUTE',
    `there is no way from here to the backend ${backend}: ${complaint}`,
    { exitCode: ExitCode.missing, remedy: `add a route to it, or ${otherwise}` },
  );
}

/** The MTU of a device. */
export async function mtuOf(device: string, run: Run): Promise<number> {
  const [link] = JSON.parse(await run('ip', ['-json', 'link', 'show', 'dev', device])) as readonly {
    readonly mtu: number;
  }[];
  return link!.mtu;
}
