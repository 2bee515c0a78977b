/** What a question for flows has to find, worked out from the views of all of them in the plainest way. */
import { type FlowTerm, fitsEndpoint, fitsName } from '../../lib/model/flow-filter.ts';
import { type FlowQuery, orderOfFlows } from '../../lib/model/flow-query.ts';
import { parseIp } from '../../lib/model/ip.ts';
import type { FlowsView, FlowView } from '../../lib/model/view.ts';

/** `nameOf` is what services call the backend at an address. */
export function naiveSearch(
  all: readonly FlowView[],
  query: FlowQuery,
  nameOf: (backend: string) => string,
): FlowsView {
  const terms = query.filter?.terms ?? [];
  const fitting = all.filter((flow) => terms.every((term) => fits(flow, term, nameOf)));
  return { flows: fitting.toSorted(orderOfFlows(query)).slice(0, query.limit), matching: fitting.length };
}

function fits(flow: FlowView, term: FlowTerm, nameOf: (backend: string) => string): boolean {
  switch (term.kind) {
    case 'state':
      return flow.state === term.state;
    case 'protocol':
      return flow.protocol === term.protocol;
    case 'name': {
      const backend = flow.backend === null ? [] : [nameOf(flow.backend)];
      const names = { service: [flow.service], backend };
      return fitsName(
        term,
        term.of.flatMap((of) => names[of]),
      );
    }
    case 'endpoint':
      return term.places.some((place) => {
        const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(flow[place] ?? '') ?? [];
        const bytes = new Uint8Array(16);
        return parseIp(host, bytes, 0) !== 0 && fitsEndpoint(term, bytes, 0, Number(port));
      });
  }
}
