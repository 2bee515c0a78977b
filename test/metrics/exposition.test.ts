import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Family, formatExposition } from '../../lib/metrics/exposition.ts';
import { parseExposition } from './parse-exposition.ts';

const gauge = (value: number, labels = {}): Family => ({
  name: 'a_gauge',
  type: 'gauge',
  help: 'Some.',
  samples: [{ labels, value }],
});

describe('the exposition format', () => {
  it('is what Prometheus reads', () => {
    const families: Family[] = [
      {
        name: 'http_requests_total',
        type: 'counter',
        help: 'Requests.',
        samples: [
          { labels: { method: 'post', code: '200' }, value: 1027 },
          { labels: { method: 'post', code: '400' }, value: 3 },
        ],
      },
      { name: 'load', type: 'gauge', help: 'Load.', samples: [{ labels: {}, value: 0.25 }] },
    ];
    assert.equal(
      formatExposition(families),
      [
        '# HELP http_requests_total Requests.',
        '# TYPE http_requests_total counter',
        'http_requests_total{method="post",code="200"} 1027',
        'http_requests_total{method="post",code="400"} 3',
        '# HELP load Load.',
        '# TYPE load gauge',
        'load 0.25',
        '',
      ].join('\n'),
    );
  });

  it('escapes backslash, line feed and, in labels, the quotation mark', () => {
    const family = { ...gauge(1, { path: 'C:\\DIR\n"x"' }), help: 'C:\\DIR\n"x"' };
    assert.equal(
      formatExposition([family]),
      '# HELP a_gauge C:\\\\DIR\\n"x"\n# TYPE a_gauge gauge\na_gauge{path="C:\\\\DIR\\n\\"x\\""} 1\n',
    );
  });

  it('has words for what is not a number', () => {
    const written = (value: number) =>
      formatExposition([gauge(value)])
        .split(/[ \n]/)
        .at(-2);
    assert.equal(written(Number.POSITIVE_INFINITY), '+Inf');
    assert.equal(written(Number.NEGATIVE_INFINITY), '-Inf');
    assert.equal(written(Number.NaN), 'NaN');
    assert.equal(written(1e21), '1e+21');
    assert.equal(written(2 ** 53), '9007199254740992');
  });

  it('leaves out a family without samples', () => {
    assert.equal(formatExposition([{ ...gauge(1), samples: [] }]), '');
  });

  it('gives back whatever was written', () => {
    const labelled = fc.record(
      { service: fc.string({ unit: 'binary' }), backend: fc.string() },
      { noNullPrototype: true },
    );
    const family: fc.Arbitrary<Family> = fc.record(
      {
        name: fc.stringMatching(/^[a-z]{1,4}_total$/),
        type: fc.constantFrom('counter', 'gauge'),
        help: fc.string({ minLength: 1 }),
        samples: fc.uniqueArray(
          fc.record(
            { labels: labelled, value: fc.double({ min: 0, noNaN: true }) },
            { noNullPrototype: true },
          ),
          {
            minLength: 1,
            selector: ({ labels }) => JSON.stringify(labels),
          },
        ),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.uniqueArray(family, { selector: ({ name }) => name }), (families) => {
        assert.deepEqual(parseExposition(formatExposition(families)), families);
      }),
    );
  });
});

describe('the reader of these tests', () => {
  const head = '# HELP a_total A.\n# TYPE a_total counter\n';
  const broken = {
    'no end of line': `${head}a_total 1`,
    'an empty line': `${head}\na_total 1\n`,
    'no HELP': '# TYPE a_total counter\na_total 1\n',
    'no TYPE': '# HELP a_total A.\na_total 1\n',
    'no samples': head,
    'a family that is there twice': `${head}a_total 1\n${head}a_total 1\n`,
    'a sample of another family': `${head}b_total 1\n`,
    'a series that is there twice': `${head}a_total{x="1"} 1\na_total{x="1"} 2\n`,
    'labels that differ': `${head}a_total{x="1"} 1\na_total{y="1"} 2\n`,
    'a label that is there twice': `${head}a_total{x="1",x="2"} 1\n`,
    'a comma too many': `${head}a_total{x="1",} 1\n`,
    'an unknown escape': `${head}a_total{x="\\t"} 1\n`,
    'a quotation mark too many': `${head}a_total{x="""} 1\n`,
    'a label that cannot be': `${head}a_total{0x="1"} 1\n`,
    'no value': `${head}a_total\n`,
    'a value that is none': `${head}a_total one\n`,
    'a negative counter': `${head}a_total -1\n`,
    'a counter by another name': '# HELP a A.\n# TYPE a counter\na 1\n',
    'a timestamp': `${head}a_total 1 1395066363000\n`,
  };
  for (const [what, text] of Object.entries(broken)) {
    it(`refuses ${what}`, () => assert.throws(() => parseExposition(text)));
  }
});
