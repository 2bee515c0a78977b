/**
 * The totals of several runs of Node's test runner as one. They are the runner's own: it reports them as
 * diagnostics at the end of each run, which are held back here, added up and shown last.
 */

/** An event of the runner, as far as it is looked at here. */
export interface RunnerEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly message?: string;
    readonly skip?: string | boolean | undefined;
    readonly todo?: string | boolean | undefined;
  };
}

const totalsLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

export class Tally {
  readonly #totals = new Map<string, number>();
  readonly #skippedByReason = new Map<string, string[]>();
  #failed = false;

  /** Passes a run's events on, all but its totals. */
  async *watch<Event extends RunnerEvent>(events: AsyncIterable<Event>): AsyncGenerator<Event> {
    for await (const event of events) {
      if (!this.#isTotal(event)) {
        this.#note(event);
        yield event;
      }
    }
  }

  #isTotal({ type, data: { nesting, message = '' } }: RunnerEvent): boolean {
    const [, name, amount] = (type === 'test:diagnostic' && nesting === 0 && totalsLine.exec(message)) || [];
    if (name === undefined) return false;
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + Number(amount));
    return true;
  }

  #note({ type, data: { name = '', skip, todo } }: RunnerEvent): void {
    if (type === 'test:fail' && (todo === undefined || todo === false)) this.#failed = true;
    if (type !== 'test:pass' || skip === undefined || skip === false) return;
    const reason = typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
    this.#skippedByReason.set(reason, [...(this.#skippedByReason.get(reason) ?? []), name]);
  }

  /** Whether there were tests and none failed. */
  succeeded(): boolean {
    return !this.#failed && (this.#totals.get('tests') ?? 0) > 0;
  }

  /** Why tests were skipped, and then the totals as the runner prints them. */
  summary(): string[] {
    const skipped = [...this.#skippedByReason].map(
      ([reason, names]) => `﹣ ${names.length} skipped, ${reason}: ${names.join('; ')}`,
    );
    return [
      ...skipped,
      ...[...this.#totals].map(([name, amount]) => `ℹ ${name} ${Number(amount.toFixed(3))}`),
    ];
  }
}
