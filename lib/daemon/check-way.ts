/** How the backends of a service are asked whether they are well: themselves, or as their clients reach them. */
import type { Backend } from '../balance/backend.ts';
import type { ProbeSource } from '../datapath/mode.ts';
import { OwnTroubleError } from '../health/reason.ts';
import { fromLentSource } from '../health/session/lent-source.ts';
import type { Probe, ProbeFailure } from '../health/session/probe.ts';
import type { CheckSpec, HostPort, Protocol } from '../model/spec.ts';

export interface CheckWay {
  /** The probe as it asks this backend. */
  through(probe: Probe, backend: Backend): Probe;
  /** What is said of a failed check. */
  inWords(failure: ProbeFailure): string;
}

/** To the backend's own address and port. */
export const directly: CheckWay = { through: (probe) => probe, inWords: ({ reason }) => reason };

/** The near end of tunnels to backends. */
export interface TunnelMouth {
  /** A VIP of a protocol; undefined if there is none. */
  vip(protocol: Protocol): HostPort | undefined;
  /** Where packets to the VIP have to come from to go to this backend; undefined if there is no such place. */
  source(backend: Backend, vip: HostPort): ProbeSource | undefined;
}

/**
 * To the VIP, through the tunnel to the backend: an answer proves the tunnel, the VIP and the service. A command is
 * given the backend's own address and the VIP's port, and finds its way by itself.
 */
export function throughTunnel(mouth: TunnelMouth, { type }: CheckSpec): CheckWay {
  const vipNow = (): HostPort => {
    const vip = mouth.vip(type === 'udp' ? 'udp' : 'tcp') ?? mouth.vip('udp');
    if (vip === undefined) throw new OwnTroubleError('there is no VIP to ask');
    return vip;
  };
  const lend = (backend: Backend, vip: HostPort): ProbeSource => {
    const source = mouth.source(backend, vip);
    if (source !== undefined) return source;
    throw new OwnTroubleError('no address or port of this machine to ask from');
  };
  return {
    through(probe, backend) {
      if (type === 'exec')
        return async (target, ...rest) => probe({ ...target, port: vipNow().port }, ...rest);
      return async (target, ...rest) => {
        const vip = vipNow();
        return fromLentSource(probe, () => lend(backend, vip))({ ...target, ...vip }, ...rest);
      };
    },
    inWords({ reason, reached }) {
      if (type === 'exec' || reached === 'nowhere') return reason;
      return reached === 'backend' ? `service down: ${reason}` : `tunnel dead: ${reason}`;
    },
  };
}
