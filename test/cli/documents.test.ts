/** What is written about the commands, held against the commands. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCommandLine } from '../../lib/cli/command-line.ts';
import { commands } from '../../lib/cli/commands.ts';
import { programHead } from '../../lib/cli/help.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { examine } from '../../lib/doctor/examine.ts';
import { doctorModes } from '../../lib/doctor/modes.ts';
import { catalogue } from '../../lib/metrics/catalogue.ts';
import { caseOf, well } from '../doctor/well.ts';
import { output } from '../support/child.ts';
import { findProgram } from '../support/tools.ts';

const pathOf = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const manual = readFileSync(pathOf('man/sluice.8'), 'utf8');
const readme = readFileSync(pathOf('README.md'), 'utf8');

const knownFlags = new Set(['help', 'version', ...commands.flatMap(({ flags }) => Object.keys(flags))]);

/** The commands that a text tells to type, without what is done with their output; each line as words. */
function linesToType(text: string): string[][] {
  return text
    .split('\n')
    .flatMap((line) => line.trim().split(/ (?:&&|\||>|#) /))
    .filter((line) => /^sluice [a-z]/.test(line))
    .map((line) => line.trim().split(/\s+/).slice(1));
}

function assertCanBeTyped(lines: readonly string[][]): void {
  assert.ok(lines.length > 0);
  for (const words of lines) {
    assert.doesNotThrow(() => readCommandLine(words, commands), `sluice ${words.join(' ')}`);
  }
}

describe('the manual page', () => {
  it('has every command', () => {
    for (const { name } of commands) assert.match(manual, new RegExp(`^\\.It Cm ${name}\\b`, 'm'), name);
  });

  it('has every flag', () => {
    for (const { name: command, flags } of commands) {
      for (const [name, { alias }] of Object.entries(flags)) {
        assert.match(manual, new RegExp(`\\bFl -${name}(?![\\w-])`), `--${name} of ${command}`);
        if (alias !== undefined)
          assert.match(manual, new RegExp(`\\bFl ${alias}\\b`), `-${alias} of ${command}`);
      }
    }
  });

  it('has every check of sluice doctor', () => {
    const { subject } = caseOf('nat');
    for (const mode of doctorModes) {
      const services = mode === 'backend' ? [] : subject.services.map((each) => ({ ...each, mode }));
      for (const { check } of examine(mode, well, { ...subject, services })) {
        assert.match(manual, new RegExp(`^\\.It Li .*\\b${check}\\b`, 'm'), check);
      }
    }
  });

  it('has every metric, and none that there is not', () => {
    const told = new Set(manual.match(/\b(?:sluice|process)_[a-z_]*[a-z]\b/g));
    assert.deepEqual([...told].sort(), catalogue.map(({ name }) => name).sort());
  });

  it('has no flag that no command has', () => {
    const told = [...manual.matchAll(/(?:\bFl -|, -)([a-z][\w-]*)/g)].map(([, name]) => name!);
    assert.ok(told.length > knownFlags.size);
    assert.deepEqual(
      told.filter((name) => !knownFlags.has(name)),
      [],
    );
  });

  it('shows a configuration that is one', () => {
    const [, example = ''] = /\.Bd[^\n]*\n(name: [\s\S]*?)\.Ed\n/.exec(manual) ?? [];
    assert.equal(parseConfig(example, 'sluice.8').services.length, 3);
  });

  it('shows lines that can be typed', () => {
    assertCanBeTyped(linesToType(manual.replace(/^\.Dl /gm, '')));
  });

  const lint = findProgram('mandoc') === undefined && 'needs mandoc: apt-get install mandoc';
  it('is well-formed', { skip: lint }, async () => {
    const args = ['-T', 'lint', '-W', 'style,stop', pathOf('man/sluice.8')];
    assert.equal(await output({ program: 'mandoc', args }), '');
  });
});

describe('the README', () => {
  it('shows every command but those that only keep house', () => {
    const untold = commands.filter(({ name }) => !readme.includes(`sluice ${name}`)).map(({ name }) => name);
    assert.deepEqual(untold, ['services', 'forget']);
  });

  it('knows no flag that no command has', () => {
    const ours = readme.replace(/^curl .*$/gm, '');
    const told = [...ours.matchAll(/--([a-z][\w-]*)/g)].map(([, name]) => name!);
    assert.deepEqual(
      told.filter((name) => !knownFlags.has(name)),
      [],
    );
  });

  it('shows lines that can be typed', () => assertCanBeTyped(linesToType(readme)));

  it('shows configurations that are such', () => {
    const examples = Array.from(readme.matchAll(/```yaml\n([\s\S]*?)```/g), ([, example]) => example!);
    assert.deepEqual(
      examples.map((example) => parseConfig(example, 'README.md').services.length),
      [2, 1],
    );
  });
});

describe('help', () => {
  it('shows lines that can be typed', () => {
    assertCanBeTyped(linesToType(programHead()));
    for (const { name, examples } of commands) {
      assert.ok(examples.length > 0, `${name} has no example`);
      assertCanBeTyped(
        linesToType(examples.map(([line]) => line.replace(/^eval "\$\((.*)\)"$/, '$1')).join('\n')),
      );
    }
  });
});
