import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { colourPalette, paintLine, plainPalette } from '../../lib/tui/palette.ts';
import {
  besideLines,
  cutLine,
  headingLine,
  lineWidth,
  padLine,
  plainText,
  selectLine,
  shorten,
  span,
  spreadLine,
  widthOf,
  wrapLine,
} from '../../lib/tui/text.ts';

describe('a line that goes on below', () => {
  const wrapped = (text: string, width: number) =>
    wrapLine([span('in ', 'muted'), span(text)], width, 3).map(plainText);

  it('breaks between words, and in those that no line has room for', () => {
    assert.deepEqual(wrapped('18 KiB, 240 pkts', 19), ['in 18 KiB, 240 pkts']);
    assert.deepEqual(wrapped('18 KiB, 240 pkts', 16), ['in 18 KiB, 240 ', '   pkts']);
    assert.deepEqual(wrapped('tcp [2001:db8::1]:40000', 14), ['in tcp [2001:d', '   b8::1]:4000', '   0']);
  });

  it('says all of it within its width, whatever that is', () => {
    const words = fc.string({ unit: fc.constantFrom('a', '1', ' ', '字', 'e\u0301'), maxLength: 80 });
    fc.assert(
      fc.property(words, fc.integer({ min: 5, max: 30 }), (text, width) => {
        const lines = wrapped(text, width);
        assert.ok(lines.every((line) => widthOf(line) <= width));
        const said = lines.join('').replaceAll(' ', '');
        assert.equal(said, `in${span(text).text.replaceAll(' ', '')}`);
      }),
    );
  });

  it('is cut where there is no room further in', () => {
    assert.deepEqual(wrapped('18 KiB', 4), ['in …']);
  });
});

describe('a text that is too long', () => {
  it('is cut at its end, or in its middle', () => {
    assert.equal(shorten('established', 6), 'estab…');
    assert.equal(shorten('[2001:db8::1]:40000', 12, 'middle'), '[2001:…40000');
    assert.equal(shorten('web', 3), 'web');
    assert.deepEqual([shorten('web', 1), shorten('web', 0)], ['…', '']);
  });

  it('never takes more cells than there are, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.nat(20),
        fc.constantFrom('end', 'middle'),
        (text, width, where) => {
          assert.ok(widthOf(shorten(text, width, where)) <= width);
        },
      ),
    );
  });
});

describe('a line', () => {
  const line = [span('web', 'strong'), span(' is up', 'good')];

  it('is cut and filled to the cell', () => {
    assert.equal(plainText(cutLine(line, 5)), 'web …');
    assert.equal(plainText(padLine(line, 12)), 'web is up   ');
    assert.equal(lineWidth(padLine([span('日本', 'strong')], 5)), 5);
  });

  it('lets its left end give way to its right one', () => {
    assert.equal(plainText(spreadLine(line, [span('now')], 15)), 'web is up   now');
    assert.equal(plainText(spreadLine(line, [span('now')], 8)), 'web …now');
  });

  it('is one piece, in one look, where it is chosen', () => {
    assert.deepEqual(selectLine(line, 10), [span('web is up ', 'selected')]);
  });

  it('stays on its line whatever a name has in it', () => {
    assert.equal(span('a\u001b[2J\nb').text, 'a?[2J?b');
  });

  it('stands beside another, which may be longer', () => {
    const lines = besideLines([[span('a')]], 3, 1, [[span('b')], [span('c')]]);
    assert.deepEqual(lines.map(plainText), ['a   b', '    c']);
  });

  it('has a rule behind it where it is a heading', () => {
    assert.equal(plainText(headingLine('Flows', 20, '9')), ' Flows ────────── 9 ');
  });
});

describe('a palette', () => {
  it('wraps text in what makes it look so, and ends that', () => {
    assert.equal(paintLine([span('up', 'good'), span('!')], colourPalette), '\u001b[32mup\u001b[39m!');
  });

  it('has no colour where there is to be none, and tells bad from good all the same', () => {
    const tones = Object.keys(plainPalette) as (keyof typeof plainPalette)[];
    for (const tone of tones) {
      assert.doesNotMatch(paintLine([span('x', tone)], plainPalette), /\[3\d|\[4\d/, tone);
    }
    assert.notDeepEqual(plainPalette.bad, plainPalette.good);
  });
});
