/** The backend's half of direct server return, as a person asks for it: `sluice backend`. */

import type { EncapsulationName } from './encapsulation.ts';

export interface TunnelEndSpec {
  /** It names the rules and the journal. */
  readonly name: string;
  /** Addresses that clients use: IPv4 or IPv6 without brackets, each once, one at least. */
  readonly vips: readonly string[];
  /** How requests come; `l2` is no tunnel. */
  readonly encapsulation: EncapsulationName;
  /** Where tunnels may come from: `ADDRESS` or `ADDRESS/BITS`. None for `l2`. */
  readonly from: readonly string[];
  /**
   * The segment size that clients are told, at most: so that what they send fits through the tunnel (`auto`), this, or
   * whatever it would be without us (`off`).
   */
  readonly mss: number | 'auto' | 'off';
}
