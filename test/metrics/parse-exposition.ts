/**
 * A reader of Prometheus' text format 0.0.4 that forgives nothing: what a scraper may let pass, such as samples out of
 * their family or a label set that is there twice, is an error here.
 */
import type { Family, Labels, MetricType, Sample } from '../../lib/metrics/exposition.ts';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const number = /^(?:[+-]?(?:\d+(?:\.\d+)?)(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;

export function parseExposition(text: string): Family[] {
  if (text === '') return [];
  demand(text.endsWith('\n'), 'the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  const families = new Map<string, Family>();
  while (lines.length > 0) {
    const family = parseFamily(lines);
    demand(!families.has(family.name), `${family.name} is there twice`);
    families.set(family.name, family);
  }
  return [...families.values()];
}

/** Takes the lines of the first family away. */
function parseFamily(lines: string[]): Family {
  const [, name = '', help = ''] = demand(/^# HELP (\S+) (.+)$/s.exec(lines.shift()!), 'no HELP');
  demand(metricName.test(name), `${name} is not a name`);
  const [, typed, type] = demand(
    /^# TYPE (\S+) (counter|gauge)$/.exec(lines.shift() ?? ''),
    `${name} has no TYPE`,
  );
  demand(typed === name, `the HELP of ${name} is followed by the TYPE of ${typed}`);
  const samples: Sample[] = [];
  const seen = new Set<string>();
  while (lines.length > 0 && !lines[0]!.startsWith('#')) {
    const sample = parseSample(name, lines.shift()!);
    const key = JSON.stringify(Object.entries(sample.labels).sort());
    demand(!seen.has(key), `${name} has two samples of ${key}`);
    seen.add(key);
    samples.push(sample);
  }
  demand(samples.length > 0, `${name} has no samples`);
  const labelSets = new Set(samples.map(({ labels }) => Object.keys(labels).join()));
  demand(labelSets.size === 1, `${name} has samples with different labels`);
  if (type === 'counter') {
    demand(name.endsWith('_total'), `counter ${name} does not end in _total`);
    demand(
      samples.every(({ value }) => value >= 0),
      `counter ${name} is negative`,
    );
  }
  return { name, type: type as MetricType, help: withoutEscapes(help, /\\([\\n])/g), samples };
}

function parseSample(name: string, line: string): Sample {
  const [, named, braces, value = ''] = demand(
    /^([^\s{]+)(\{(?:[^"]|"(?:[^"\\]|\\.)*")*\})? (\S+)$/.exec(line),
    `${line} is not a sample`,
  );
  demand(named === name, `${line} stands among the samples of ${name}`);
  demand(number.test(value), `${value} is not a number`);
  return {
    labels: braces === undefined ? {} : parseLabels(braces),
    value: Number(value.replace('Inf', 'Infinity')),
  };
}

function parseLabels(braces: string): Labels {
  const labels: Record<string, string> = {};
  const pair = /([^=,"]+)="((?:[^"\\]|\\.)*)"(,(?!\})|(?=\}$))/y;
  pair.lastIndex = 1;
  while (pair.lastIndex < braces.length - 1) {
    const [, name = '', value = ''] = demand(pair.exec(braces), `${braces} are not labels`);
    demand(labelName.test(name), `${name} is not a label`);
    demand(!(name in labels), `label ${name} is there twice`);
    labels[name] = withoutEscapes(value, /\\([\\n"])/g);
  }
  return labels;
}

function withoutEscapes(text: string, escapes: RegExp): string {
  demand(!text.replaceAll(escapes, '').includes('\\'), `${text} has an escape that does not exist`);
  return text.replaceAll(escapes, (_, character: string) => (character === 'n' ? '\n' : character));
}

function demand<Value>(value: Value | null | false, otherwise: string): Value {
  if (value === null || value === false) throw new Error(otherwise);
  return value;
}
