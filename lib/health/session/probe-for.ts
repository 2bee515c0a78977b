/** From the specification of a check to the probe that carries it out. */
import type { CheckSpec } from '../../model/spec.ts';
import { execProbe } from './exec.ts';
import { expectProbe } from './expect.ts';
import { httpProbe } from './http.ts';
import type { Probe } from './probe.ts';
import { tcpProbe } from './tcp.ts';
import { udpProbe } from './udp.ts';

/** The probe of a check; none where traffic alone is to tell. */
export function probeFor(check: CheckSpec): Probe | undefined {
  switch (check.type) {
    case 'none':
      return undefined;
    case 'tcp':
      return atPort(check.port, tcpProbe);
    case 'http':
      return atPort(check.port, httpProbe(check));
    case 'udp':
      return atPort(check.port, udpProbe(check));
    case 'expect':
      return atPort(check.port, expectProbe(check));
    case 'exec':
      return execProbe(check);
  }
}

/** The same probe at the check's own port, where it has one. */
function atPort(port: number | undefined, probe: Probe): Probe {
  return port === undefined ? probe : (target, signal, heard) => probe({ ...target, port }, signal, heard);
}
