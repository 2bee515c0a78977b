import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Command, defineCommand } from '../../lib/cli/command.ts';
import { readCommandLine } from '../../lib/cli/command-line.ts';
import { ExitCode, SluiceError } from '../../lib/model/errors.ts';

const run = async () => ExitCode.fine;

const commands: readonly Command[] = [
  defineCommand({
    name: 'carry',
    summary: 'Carry things',
    positionals: { FROM: { describe: 'Where' }, TO: { describe: 'Where to', many: true } },
    flags: {
      'how-fast': { type: 'string', describe: 'Speed', choices: ['slowly', 'quickly'] },
      times: { type: 'number', describe: 'How often' },
      file: { type: 'string', alias: 'f', describe: 'A file' },
      'no-fuss': { type: 'boolean', describe: 'Quietly' },
    },
    examples: [['sluice carry a b', 'from a to b']],
    run,
  }),
  defineCommand({
    name: 'keep',
    summary: 'Keep words',
    positionals: { NAME: { describe: 'Name' } },
    flags: {},
    rest: 'WORDS...',
    examples: [],
    run,
  }),
  defineCommand({
    name: 'sing',
    summary: 'Sing',
    positionals: { SONG: { describe: 'Which', choices: ['high', 'low'], optional: true } },
    flags: {},
    examples: [],
    run,
  }),
];

const read = (...words: string[]) => readCommandLine(words, commands);

function refusal(...words: string[]): string {
  try {
    read(...words);
  } catch (error) {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.exitCode, ExitCode.usage);
    return `${error.message} — ${error.remedy}`;
  }
  return 'nothing was refused';
}

describe('a command line', () => {
  it('becomes a command and its values, flags in camel case', () => {
    const { command, values, rest } = read(
      'carry',
      'a',
      'b',
      '-1',
      '--how-fast',
      'slowly',
      '--times=3',
      '-f',
      'x',
    );
    assert.equal(command?.name, 'carry');
    assert.deepEqual(values, {
      FROM: 'a',
      TO: ['b', '-1'],
      howFast: 'slowly',
      times: 3,
      file: 'x',
      noFuss: false,
    });
    assert.deepEqual(rest, []);
  });

  it('may have its flags before, between and after the words', () => {
    const flags = { howFast: 'quickly', noFuss: true };
    for (const words of [
      ['carry', '--no-fuss', '--how-fast', 'quickly', 'a', 'b'],
      ['carry', 'a', '--how-fast=quickly', 'b', '--no-fuss'],
      ['carry', 'a', 'b', '--how-fast', 'slowly', '--no-fuss', '--how-fast', 'quickly', '--no-fuss'],
    ]) {
      const { FROM, TO, howFast, noFuss } = read(...words).values ?? {};
      assert.deepEqual({ FROM, TO, howFast, noFuss }, { FROM: 'a', TO: ['b'], ...flags });
    }
  });

  it('leaves words as they were typed', () => {
    const { FROM, TO } = read('carry', '0123', '1e3', '0x10', 'a=b=c', '[::1]:80', 'a.b', '=').values ?? {};
    assert.equal(FROM, '0123');
    assert.deepEqual(TO, ['1e3', '0x10', 'a=b=c', '[::1]:80', 'a.b', '=']);
  });

  it('hands on what follows --, flags and all', () => {
    assert.deepEqual(read('keep', 'x', '--', 'carry', '-f', '--', '1').rest, ['carry', '-f', '--', '1']);
  });

  it('may end before a word that is optional', () => {
    assert.deepEqual(read('sing').values, { SONG: undefined });
    assert.deepEqual(read('sing', 'low').values, { SONG: 'low' });
  });

  const refusals: readonly [words: string[], said: string][] = [
    [['cary', 'a', 'b'], 'unknown command "cary" — did you mean carry?'],
    [['fly'], 'unknown command "fly" — see sluice --help'],
    [[], 'the command is missing — see sluice --help'],
    [['--times', '3'], 'unknown flag --times — see sluice --help'],
    [['carry'], 'FROM is missing — write sluice carry FROM TO...'],
    [['carry', 'a'], 'TO is missing — write sluice carry FROM TO...'],
    [['carry', 'a', '--how-fats', 'slowly'], 'unknown flag --how-fats — did you mean --how-fast?'],
    [['carry', 'a', 'b', '--colour'], 'unknown flag --colour — see sluice carry --help'],
    [['carry', 'a', 'b', '-x'], 'unknown flag -x — see sluice carry --help'],
    [['carry', 'a', 'b', '--howFast', 'slowly'], 'unknown flag --howFast — did you mean --how-fast?'],
    [['carry', 'a', 'b', '--how-fast', 'slowy'], '--how-fast "slowy" is unknown — did you mean slowly?'],
    [['carry', 'a', 'b', '--how-fast', 'x'], '--how-fast "x" is unknown — use slowly, quickly'],
    [['carry', 'a', 'b', '--how-fast'], '--how-fast needs a value — undefined'],
    [['carry', 'a', 'b', '--how-fast='], '--how-fast needs a value — undefined'],
    [['carry', 'a', 'b', '--times', 'often'], '--times needs a whole number — undefined'],
    [['carry', 'a', 'b', '--times', '1.5'], '--times needs a whole number — undefined'],
    [['carry', 'a', 'b', '--times', '-1'], '--times needs a whole number — undefined'],
    [['carry', 'a', 'b', '--', 'c'], '-- has no meaning here — write sluice carry FROM TO...'],
    [['keep', 'a', 'b', '--', 'c'], 'unexpected "b" — write sluice keep NAME -- WORDS...'],
    [['sing', 'loud'], 'SONG "loud" is unknown — use high, low'],
    [['carry', 'a', 'b', '--constructor', 'x'], 'unknown flag --constructor — see sluice carry --help'],
    [['--toString'], 'unknown flag --toString — see sluice --help'],
  ];
  for (const [words, said] of refusals) {
    it(`is refused: ${words.join(' ') || 'no words'}`, () => assert.equal(refusal(...words), said));
  }

  it('asks for help with --help or -h, of one command or of all', () => {
    for (const flag of ['--help', '-h']) {
      assert.match(
        read('carry', flag).text ?? '',
        /^Carry things\.\n\n {2}# from a to b\n {2}sluice carry a b\n/,
      );
      assert.match(read(flag).text ?? '', /\n {2}sluice demo\n[\s\S]*sluice carry <FROM> <TO\.\.>/);
    }
  });

  it('is read or refused, whatever it is', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'carry',
        'keep',
        'sing',
        '--',
        '--how-fast',
        '--times',
        '-f',
        '--help',
        '--no-fuss',
        'a',
      ),
      fc.string(),
      fc.string().map((text) => `--${text}`),
      fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype)).map((text) => `--${text}=1`),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        try {
          const line = read(...words);
          assert.ok(line.command !== undefined || line.text !== '');
        } catch (error) {
          assert.ok(error instanceof SluiceError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
