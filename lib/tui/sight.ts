/** What of the traffic is in sight: in direct server return answers go past this machine. */
import type { ServiceView } from '../model/view.ts';
import type { Sample } from './state.ts';
import type { Column } from './table.ts';

/** What is said instead of a number of what is out of sight. */
export const outOfSight = 'past this machine';

/** Whether what backends send to clients is seen of any of the services. */
export function seesAnswers(services: readonly Pick<ServiceView, 'bytesOut'>[]): boolean {
  return services.length === 0 || services.some(({ bytesOut }) => bytesOut !== null);
}

/** The columns without those of answers, unless these are seen of any service of a sample. */
export function columnsInSight<Row>(
  columns: readonly Column<Row>[],
  sample: Sample | undefined,
): readonly Column<Row>[] {
  const isWhole = seesAnswers(sample?.status.services ?? []);
  return isWhole ? columns : columns.filter(({ id }) => !id.endsWith('-out'));
}
