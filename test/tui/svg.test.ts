import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawSvg } from '../../lib/tui/snapshot.tsx';
import { frameToSvg } from '../../lib/tui/svg.ts';
import { Driver } from './support.tsx';

const draw = (frame: string) => frameToSvg(frame, { columns: 20, rows: 2 }, 'a picture');

describe('a frame as SVG', () => {
  it('has a size of its own, and a title for who cannot see it', () => {
    const svg = draw('');
    assert.match(svg, /^<svg [^>]*viewBox="0 0 208 66"/);
    assert.match(svg, /<title>a picture<\/title>/);
  });

  it('has each word in its cells, with what is special in XML written out', () => {
    const svg = draw('a <b> & c   d');
    assert.match(svg, /<text x="0" y="14" textLength="81"[^>]*>a &lt;b&gt; &amp; c<\/text>/);
    assert.match(svg, /<text x="108" y="14" textLength="9"[^>]*>d<\/text>/);
  });

  it('keeps colours, and what stands out or steps back', () => {
    const svg = draw(
      '\u001b[32mup\u001b[39m  \u001b[1mweb\u001b[22m  \u001b[2mold\u001b[22m  \u001b[7mrow\u001b[27m',
    );
    assert.match(svg, /fill="#57ab5a">up</);
    assert.match(svg, /font-weight="600">web</);
    assert.match(svg, /opacity="[\d.]+">old</);
    assert.match(svg, /<rect x="126" y="0" width="27"[^>]*\/>\n<text [^>]*fill="#0d1117"[^>]*>row</);
  });

  it('draws bars and rules, so that they join', () => {
    const svg = draw('█▄─');
    assert.match(svg, /<path d="M0 0h8v19h-8zM9 9\.5h8v9\.5h-8zM18 9h9v1h-9z"/);
    assert.doesNotMatch(svg, /<text/);
  });

  it('is the picture that the dashboard shows', () => {
    const svg = drawSvg(new Driver({ view: 'flows' }).learn().state);
    assert.match(svg, /<title>sluice top: flows of edge-1<\/title>/);
    for (const text of ['CLIENT', '198.51.100.1:40001', '400M', 'quit']) assert.ok(svg.includes(text), text);
  });
});
