/**
 * `npm run bench -- NAME`: sluice beside the tools whose place it takes, in one run on one machine.
 * Prints a table, or one JSON document with `--json`; exits with 1 when a floor was missed.
 */
import { parseArgs } from 'node:util';
import { installPeers } from '../support/install.ts';
import { allowedCores } from '../support/proc.ts';
import { entry } from '../support/sluice.ts';
import { dsr } from './dsr.ts';
import { dsrForwardMeasures } from './dsr-forward.ts';
import { alternate, type Measure } from './measure.ts';
import { nat } from './nat.ts';
import { proxy } from './proxy.ts';
import { evaluate } from './result.ts';
import { table } from './table.ts';
import { top } from './top.ts';

const benchmarks: Readonly<Record<string, readonly Measure[]>> = {
  proxy,
  nat,
  dsr: [...dsr, ...dsrForwardMeasures],
  top,
};

const usage = `npm run bench -- NAME [OPTIONS], where NAME is ${Object.keys(benchmarks).join(' or ')}
  --measure TEXT     only the measures whose name contains the text
  --rounds N         readings of each contender: 5
  --seconds N        of load for each reading: 3
  --sluice COMMAND   measure this program in sluice's place; it is given the same arguments
  --json             print one JSON document
`;

const say = (line: string) => process.stderr.write(`${line}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    measure: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    sluice: { type: 'string', default: `${process.execPath} ${entry}` },
    json: { type: 'boolean', default: false },
  },
});
const measures = benchmarks[positionals[0] ?? '']?.filter(({ name }) => name.includes(values.measure)) ?? [];
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
if (measures.length === 0 || !(rounds >= 1) || !(seconds >= 1)) {
  process.stderr.write(usage);
  process.exit(2);
}

const [loadCore = 0, core = loadCore] = allowedCores();
const conditions = { sluice: values.sluice.split(' '), core, loadCore };
installPeers(say);

const results = [];
for (const measure of measures) {
  say(`Measuring ${measure.name}`);
  results.push(evaluate(measure, await alternate(measure, conditions, measure.rounds ?? rounds, seconds)));
}

if (values.json) {
  console.log(JSON.stringify({ rounds, seconds, core, loadCore, results }, undefined, 2));
} else {
  console.log(
    `Medians of ${rounds} rounds of ${seconds} s; contenders on core ${core}, load and origin on core ${loadCore}`,
  );
  for (const line of table(results)) console.log(line);
  for (const { measure, failures } of results) {
    for (const [name, count] of Object.entries(failures)) {
      if (count > 0) console.log(`${measure}: ${count} failed through ${name}`);
    }
  }
}
if (results.some(({ reached, cpuReached }) => !reached || !cpuReached)) process.exitCode = 1;
