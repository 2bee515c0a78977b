import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Column, layTable } from '../../lib/tui/table.ts';
import { lineWidth, plainText, span } from '../../lib/tui/text.ts';

interface Row {
  readonly client: string;
  readonly state: string;
  readonly bytes: string;
}

const columns: readonly Column<Row>[] = [
  { id: 'client', title: 'CLIENT', rank: 0, least: 8, cell: ({ client }) => span(client) },
  { id: 'state', title: 'STATE', rank: 1, cell: ({ state }) => span(state) },
  { id: 'bytes', title: 'BYTES', rank: 2, right: true, cell: ({ bytes }) => span(bytes) },
];

const rows: readonly Row[] = [
  { client: '198.51.100.7:40000', state: 'established', bytes: '7' },
  { client: '10.0.0.1:1', state: 'closing', bytes: '1.2k' },
];

function textOf(width: number): string[] {
  const { head, rows: lines } = layTable(columns, rows, width);
  return [head, ...lines].map((line) => plainText(line).trimEnd());
}

describe('a table', () => {
  it('has words on the left and numbers on the right', () => {
    assert.deepEqual(textOf(40), [
      ' CLIENT              STATE        BYTES',
      ' 198.51.100.7:40000  established      7',
      ' 10.0.0.1:1          closing       1.2k',
    ]);
  });

  it('lets the gaps grow where there is room, up to a point', () => {
    assert.equal(textOf(41)[0], ' CLIENT               STATE         BYTES');
    assert.equal(textOf(400)[0]!.length, 43);
  });

  it('squeezes what may be squeezed before a column goes', () => {
    assert.deepEqual(textOf(30), [
      ' CLIENT     STATE        BYTES',
      ' 198.…0000  established      7',
      ' 10.0….1:1  closing       1.2k',
    ]);
  });

  it('says the brief in place of what has no room, where a column has one', () => {
    const [client, ...others] = columns;
    const brief = ({ client: text }: Row) => span(text.replace(/:.*/, ' +1'));
    const lines = layTable([{ ...client!, least: 13, brief }, ...others], rows, 36).rows;
    assert.deepEqual(
      lines.map((line) => plainText(line).trimEnd()),
      [' 198.51.100.7 +1  established      7', ' 10.0.0.1:1       closing       1.2k'],
    );
  });

  it('loses its least important columns first, and never the last one', () => {
    assert.deepEqual(layTable(columns, rows, 25).columns, ['client', 'state']);
    assert.deepEqual(layTable(columns, rows, 15).columns, ['client']);
    assert.deepEqual(layTable(columns, rows, 1).columns, ['client']);
  });

  it('leaves out a column that is empty in all rows, and none where there are no rows', () => {
    const silent = rows.map((row) => ({ ...row, state: '' }));
    assert.deepEqual(layTable(columns, silent, 80).columns, ['client', 'bytes']);
    assert.deepEqual(layTable(columns, [], 80).columns, ['client', 'state', 'bytes']);
  });

  it('marks the column that it is sorted by, and which way', () => {
    const headOf = (column: string, isReversed: boolean) =>
      plainText(layTable(columns, rows, 80, { column, isReversed }).head);
    assert.match(headOf('bytes', false), /BYTES▼/);
    assert.match(headOf('bytes', true), /BYTES▲/);
    assert.match(headOf('client', false), /CLIENT▲/);
  });

  it('is never wider than it may be, unless its last column is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ client: fc.string(), state: fc.string(), bytes: fc.string() })),
        fc.integer({ min: 12, max: 120 }),
        (some, width) => {
          const { head, rows: lines } = layTable(columns, some, width);
          for (const line of [head, ...lines]) assert.ok(lineWidth(line) <= width);
        },
      ),
    );
  });
});
