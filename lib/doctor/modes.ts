/** What a machine can be in sluice's company: a balancer of one of the modes, or a backend of direct server return. */
export const doctorModes = ['proxy', 'nat', 'dsr', 'backend'] as const;

export type DoctorMode = (typeof doctorModes)[number];
