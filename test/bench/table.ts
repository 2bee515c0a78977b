/** Results as an aligned table: a line for each measure, and one below it for its processor time. */
import type { Floor } from './measure.ts';
import type { Figure, Result } from './result.ts';

/** One line of text for each line of the table, headings first. */
export function table(results: readonly Result[]): string[] {
  const names = [...new Set(results.flatMap((result) => Object.keys(result.figure.medians)))];
  const others = names.filter((name) => name !== 'sluice');
  const headings = ['measure', 'unit', ...names, ...others.map((name) => `sluice/${name}`), 'floor', ''];
  const figures = ({ unit, medians, ratios }: Figure) => [
    unit,
    ...names.map((name) => amount(medians[name])),
    ...others.map((name) => ratios[name]?.toFixed(2) ?? ''),
  ];
  const rows = results.flatMap(({ measure, figure, cpu, floors, cpuFloors, reached, cpuReached }) => [
    [measure, ...figures(figure), ...judgement(floors, reached)],
    ...(cpu === undefined ? [] : [['', ...figures(cpu), ...judgement(cpuFloors, cpuReached)]]),
  ]);
  const numeric = { first: 2, last: 1 + names.length + others.length };
  return align([headings, ...rows], (column) => column >= numeric.first && column <= numeric.last);
}

function align(rows: readonly (readonly string[])[], isRight: (column: number) => boolean): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number) =>
    isRight(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  return rows.map((row) => row.map(cell).join('  ').trimEnd());
}

/** Three significant digits or all digits before the point; nothing for who took no part. */
function amount(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function judgement(floors: readonly Floor[], reached: boolean): string[] {
  return floors.length === 0 ? ['', ''] : [floors.map(describe).join(', '), reached ? 'ok' : 'MISSED'];
}

function describe(floor: Floor): string {
  const [sign, limit] = 'atMost' in floor ? ['≤', floor.atMost] : ['≥', floor.atLeast];
  return floor.against === undefined ? `${sign} ${limit}` : `${sign} ${limit.toFixed(2)} ${floor.against}`;
}
