import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Screen } from '../../lib/tui/screen.ts';
import { scratch } from '../support/scratch.ts';

const csi = '\u001b[';

/** A screen that writes to a file; `written` is what has come since it was asked last. */
function bench(t: TestContext, rows = 3) {
  const directory = scratch();
  const path = join(directory.path, 'terminal');
  const fd = openSync(path, 'w');
  t.after(() => {
    closeSync(fd);
    directory.remove();
  });
  const screen = new Screen({ fd, columns: 20, rows });
  let read = 0;
  const written = (): string => {
    const text = readFileSync(path, 'utf8').slice(read);
    read += text.length;
    return text;
  };
  return { screen, written };
}

describe('a screen', () => {
  it('is taken and given back as it was: contents, cursor, wrapping', (t) => {
    const { screen, written } = bench(t);
    screen.open();
    assert.ok(written().startsWith(`${csi}?1049h${csi}?25l${csi}?7l`));
    screen.close();
    assert.ok(written().endsWith(`${csi}?7h${csi}?25h${csi}?1049l`));
    screen.close();
    assert.equal(written(), '');
  });

  it('writes the lines that have changed, and those alone, in one piece', (t) => {
    const { screen, written } = bench(t);
    screen.open();
    screen.draw('a\nb\nc');
    written();
    screen.draw('a\nB\nc');
    assert.equal(written(), `${csi}?2026h${csi}2;1H${csi}2KB${csi}?2026l`);
    screen.draw('a\nB\nc');
    assert.equal(written(), '');
    screen.draw('a');
    assert.match(written(), /2;1H.*2K.*3;1H.*2K/);
  });

  it('draws no more lines than there are', (t) => {
    const { screen, written } = bench(t, 2);
    screen.open();
    screen.draw('a\nb\nc');
    assert.doesNotMatch(written(), /3;1H/);
  });

  it('draws everything again once it was cleared', (t) => {
    const { screen, written } = bench(t);
    screen.open();
    screen.draw('a\nb');
    screen.clear();
    written();
    screen.draw('a\nb');
    assert.match(written(), /1;1H.*a.*2;1H.*b/s);
  });

  it('draws nothing before it is open, nor after it is closed', (t) => {
    const { screen, written } = bench(t);
    screen.draw('a');
    screen.open();
    screen.close();
    written();
    screen.draw('a');
    screen.clear();
    assert.equal(written(), '');
  });

  it('is given back before an error that nobody catches is told', (t) => {
    const { screen, written } = bench(t);
    screen.open();
    written();
    // As Node calls it.
    for (const listener of process.listeners('uncaughtExceptionMonitor')) {
      listener(new Error('a defect'), 'uncaughtException');
    }
    assert.ok(written().endsWith(`${csi}?1049l`));
    assert.equal(process.listenerCount('uncaughtExceptionMonitor'), 0);
  });
});
