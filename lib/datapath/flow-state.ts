/** The many states of a tracked flow, as the few that people are shown. */
import type { FlowStateName } from '../conntrack/states.ts';
import type { FlowState } from '../model/view.ts';

export function viewState(state: FlowStateName): FlowState {
  switch (state) {
    case 'syn-sent':
    case 'syn-received':
    case 'udp-new':
      return 'connecting';
    case 'picked-up':
    case 'established':
    case 'udp-stream':
      return 'established';
    default:
      return 'closing';
  }
}
