import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ansiStyle, plainStyle } from '../../lib/cli/style.ts';
import { type Column, renderTable } from '../../lib/cli/table.ts';

interface Row {
  readonly name: string;
  readonly count: number;
}

const columns: Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'COUNT', cell: ({ count }) => String(count), right: true },
  { title: 'WORD', cell: () => 'up', paint: (_, style) => style.green },
];

describe('a table', () => {
  it('aligns words on the left and numbers on the right, with no space at the end', () => {
    const rows = [
      { name: 'web', count: 5 },
      { name: 'a-longer-name', count: 1_234_567 },
    ];
    assert.deepEqual(renderTable(columns, rows, plainStyle), [
      'NAME             COUNT  WORD',
      'web                  5  up',
      'a-longer-name  1234567  up',
    ]);
  });

  it('is its titles when there are no rows', () => {
    assert.deepEqual(renderTable(columns, [], plainStyle), ['NAME  COUNT  WORD']);
  });

  it('has the same columns in colour', () => {
    const rows = [{ name: 'web', count: 5 }];
    const colours = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
    const coloured = renderTable(columns, rows, ansiStyle);
    assert.ok(coloured[1]!.includes(ansiStyle.green('up')));
    assert.deepEqual(
      coloured.map((line) => line.replace(colours, '')),
      renderTable(columns, rows, plainStyle),
    );
  });

  it('keeps what a cell holds on its line, whatever it is', () => {
    const [, line] = renderTable(columns, [{ name: 'a\nb\u001b[2Jc', count: 1 }], plainStyle);
    assert.equal(line, 'a?b?[2Jc      1  up');
  });
});
