/** What has become of the reloads of an instance, for those who watch it. */
import type { ReloadsView } from '../model/view.ts';

export class ReloadRecord {
  #applied = 0;
  #refused = 0;
  #last: { readonly ok: boolean; readonly atMs: number } | undefined;

  note(ok: boolean, nowMs: number): void {
    if (ok) this.#applied++;
    else this.#refused++;
    this.#last = { ok, atMs: nowMs };
  }

  view(nowMs: number): ReloadsView {
    const last = this.#last;
    return {
      applied: this.#applied,
      refused: this.#refused,
      last: last === undefined ? null : { ok: last.ok, agoMs: Math.round(nowMs - last.atMs) },
    };
  }
}
