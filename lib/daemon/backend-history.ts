/** What has become of each backend since it came: its states with their reasons, the last few of them. */
import type { Backend } from '../balance/backend.ts';
import type { BackendState, StateChange } from '../model/view.ts';

const changesKept = 8;

interface Change {
  readonly state: BackendState;
  readonly reason: string;
  readonly atMs: number;
}

export class BackendHistories {
  readonly #changes = new WeakMap<Backend, readonly Change[]>();

  /** Looks whether the backend is in another state than at the last look. */
  observe(backend: Backend, nowMs: number): void {
    const before = this.#changes.get(backend) ?? [];
    const { state } = backend;
    if (before.at(-1)?.state === state) return;
    const change = { state, reason: reasonOf(backend), atMs: nowMs };
    this.#changes.set(backend, [...before.slice(1 - changesKept), change]);
  }

  /** Oldest first; the last is the state that it is in. */
  view(backend: Backend, nowMs: number): readonly StateChange[] {
    const changes = this.#changes.get(backend) ?? [];
    return changes.map(({ atMs, ...change }) => ({ ...change, agoMs: Math.round(nowMs - atMs) }));
  }
}

/** Why a backend is in the state that it is in. */
function reasonOf(backend: Backend): string {
  switch (backend.state) {
    case 'up':
    case 'down':
      return backend.healthLast;
    case 'disabled':
      return 'asked for';
    case 'draining':
      if (backend.removed) return 'no longer configured';
      return backend.admin === 'draining' ? 'asked for' : 'weight 0';
  }
}
