/** A machine and a wish as tests of plans have them: ordinary, but for what a test changes. */
import type { TunnelEndSpec } from '../../lib/model/tunnel-end.ts';
import type { MachineFacts } from '../../lib/tunnel-end/plan.ts';

export function spec(change: Partial<TunnelEndSpec> = {}): TunnelEndSpec {
  return {
    name: 'backend',
    vips: ['192.0.2.10'],
    encapsulation: 'gre',
    from: ['10.0.0.1'],
    mss: 'auto',
    ...change,
  };
}

/** Everything can be made, links are of 1500 bytes, settings are 0. */
export function facts(change: Partial<MachineFacts> = {}): MachineFacts {
  return {
    canMake: () => true,
    mtuFrom: () => 1_500,
    freeQueue: () => 7,
    interfaces: ['eth0'],
    read: () => '0',
    ...change,
  };
}
