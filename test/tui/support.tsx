/** A dashboard in a test: its state after what a person and the instance have done, and the frame that this makes. */
import { renderToString } from 'ink';
import { Dashboard } from '../../lib/tui/components/dashboard.tsx';
import type { Effect } from '../../lib/tui/effects.ts';
import type { Key } from '../../lib/tui/keys.ts';
import { colourPalette, type Palette } from '../../lib/tui/palette.ts';
import { chosenFlow, flowQuery } from '../../lib/tui/rows.ts';
import { type Beginning, type DashboardState, initialState, type Sample } from '../../lib/tui/state.ts';
import { type Event, update } from '../../lib/tui/update.ts';
import { askFlows, type Family, traceOf, type World, worldAt } from './world.ts';

export const small = { columns: 80, rows: 24 } as const;
export const large = { columns: 200, rows: 60 } as const;

/** Drives a state as the session does, without a clock, an instance or a terminal. */
export class Driver {
  state: DashboardState;
  nowMs = 0;
  /** What was to be done in the world, but for questions to the instance. */
  readonly effects: Effect[] = [];
  readonly #worldAt: (seconds: number) => World;
  #seconds = 3_600;

  constructor(
    beginning: Partial<Beginning> = {},
    family: Family = 'ipv4',
    change: (world: World) => World = (world) => world,
  ) {
    this.#worldAt = (seconds) => change(worldAt(family, seconds));
    this.state = initialState({ size: small, place: 'attached', ...beginning });
  }

  send(event: Event): this {
    const { state, effects } = update(this.state, event, this.nowMs);
    this.state = state;
    this.effects.push(...effects.filter(({ type }) => type !== 'refresh'));
    if (effects.some(({ type }) => type === 'refresh')) this.sample();
    return this;
  }

  /** Keys by name in angle brackets, and text: `3jj<enter>`. */
  press(keys: string): this {
    for (const [written, name] of keys.matchAll(/<([a-z-]{2,})>|[\s\S]/g)) {
      const key = (name === undefined ? { name: 'text', text: written } : { name }) as Key;
      this.send({ type: 'key', key });
    }
    return this;
  }

  /** The instance answers, a second after the last time if `passMs` is. */
  sample(passMs = 0, change: Partial<Sample> = {}): this {
    this.nowMs += passMs;
    this.#seconds += passMs / 1_000;
    const { status, backends, history, flows } = this.#worldAt(this.#seconds);
    const found = this.state.view === 'flows' ? askFlows(flows, flowQuery(this.state)) : undefined;
    const chosen = this.state.isDetailOpen ? chosenFlow(this.state) : undefined;
    const trace = chosen === undefined ? undefined : traceOf(chosen);
    const sample: Sample = { atMs: this.nowMs, status, backends, history, flows: found, trace, ...change };
    return this.send({ type: 'sampled', sample });
  }

  /** Two samples and the log: everything is known. */
  learn(): this {
    this.sample().sample(1_000);
    return this.send({ type: 'logged', entries: this.#worldAt(this.#seconds).log });
  }

  /** As Ink makes it. */
  frame(palette: Palette = colourPalette): string {
    const { columns } = this.state.size;
    return renderToString(<Dashboard state={this.state} palette={palette} />, { columns });
  }

  /** The lines of the frame, without their looks. */
  lines(): string[] {
    return stripLooks(this.frame()).split('\n');
  }
}

/** Text without escape sequences. */
export function stripLooks(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g'), '');
}
