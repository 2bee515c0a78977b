/** How packets reach a backend that answers clients by itself. */

/**
 * GRE and IP in IP put an outer header in front, which the backend takes off again; l2 changes nothing but the link
 * address that the packet is sent to, and so reaches backends on the same link alone.
 */
export const encapsulations = ['gre', 'ipip', 'l2'] as const;

export type EncapsulationName = (typeof encapsulations)[number];
