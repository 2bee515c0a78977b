/** What the numbers in flow rows mean to people, for as long as one question takes. */
import type { Endpoint } from './kernel/description.ts';
import type { Generation, PathMode } from './mode.ts';
import type { Publication } from './publication.ts';
import { vipName } from './publisher.ts';
import type { Vip } from './settings.ts';

export interface VipName extends Endpoint {
  readonly service: string;
}

export interface EndpointName {
  /** As it is shown. */
  readonly text: string;
  /** What services call the backend there. */
  readonly backends: readonly string[];
}

/** By number; one that is no more is not there. */
export interface FlowNames {
  readonly vips: ReadonlyMap<number, VipName>;
  readonly endpoints: ReadonlyMap<number, EndpointName>;
}

/** The numbers of a generation, those included that are configured no more and have flows left. */
export function nameFlows<V extends Vip, P extends Publication>(
  generation: Generation<P>,
  configured: readonly V[],
  mode: PathMode<V, P>,
): FlowNames {
  const services = new Map(configured.map((vip) => [vipName(vip), vip.service]));
  const backends = new Map<number, string[]>();
  for (const vip of configured) {
    for (const backend of vip.backends) {
      const number = generation.endpoints.numberOf(mode.endpointName(vip, backend));
      if (number !== undefined) backends.set(number, [...(backends.get(number) ?? []), backend.name]);
    }
  }
  return {
    vips: new Map(
      generation.vips.all.map(({ number, value }) => [
        number,
        { ...value, service: services.get(vipName(value)) ?? '' },
      ]),
    ),
    endpoints: new Map(
      generation.endpoints.all.map(({ number, value: { text } }) => [
        number,
        { text, backends: backends.get(number) ?? [] },
      ]),
    ),
  };
}
