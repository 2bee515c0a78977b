import assert from 'node:assert/strict';
import { dirname, join } from 'node:path/posix';
import { describe, it } from 'node:test';
import { codeOf, importsOf, librarySources, type Source } from './sources.ts';

const longestFile = 350;

/** Node's own handles, which `node:net` and `node:dgram` are built on, and who may know of them. */
const handlesModule = 'lib/proxy/socket/node-handles.ts';
const handlesReaders = /^lib\/proxy\/socket\/node-[a-z-]+\.ts$/;

/**
 * The exported functions and classes that are not said to be anything: that no docstring stands before. The
 * first comment of a file may speak for its only class, or for its only function.
 */
function unsaid(text: string): string[] {
  const lines = text.split('\n');
  const exported = lines.flatMap((line, index) => {
    const [, kind, name] =
      /^export (?:default )?(?:async )?(?:abstract )?(function|class)\*? (\w+)/.exec(line) ?? [];
    return name === undefined
      ? []
      : [{ kind, name, said: lines[index - 1]?.trimEnd().endsWith('*/') === true }];
  });
  const classes = exported.filter(({ kind }) => kind === 'class');
  const ideas = classes.length > 0 ? classes : exported;
  const spokenFor = text.startsWith('/**') && ideas.length === 1 ? ideas[0] : undefined;
  return exported.filter((each) => !each.said && each !== spokenFor).map(({ name }) => name);
}

describe('every file of lib/', () => {
  const sources = librarySources();

  it('was found', () => {
    assert.ok(sources.length > 0);
  });

  it(`holds one idea, in at most ${longestFile} lines`, () => {
    const tooLong = sources.filter(({ text }) => text.trimEnd().split('\n').length > longestFile);
    assert.deepEqual(
      tooLong.map(({ path }) => path),
      [],
    );
  });

  it('says what its exported functions and classes are', () => {
    const silent = sources.flatMap(({ path, text }) => unsaid(text).map((name) => `${path}: ${name}`));
    assert.deepEqual(silent, []);
  });

  it('leaves the handles of Node to the few that are made for them', () => {
    const knows = ({ path, text }: Source) =>
      /\bbinding\b.*\bprocess\b|\bprocess\b.*\bbinding\b/.test(codeOf(text)) ||
      importsOf(text).some((imported) => join(dirname(path), imported) === handlesModule);
    const readers = sources.filter(knows).map(({ path }) => path);
    assert.deepEqual(
      readers.filter((path) => !handlesReaders.test(path)),
      [],
    );
  });
});

describe('the check of docstrings', () => {
  it('finds an exported function or class that has none', () => {
    const text = `import { x } from './x.ts';

/** Said. */
export function told() {}

export function untold() {}
// Not a docstring.
export abstract class Untold {}
/**
 * Said.
 */
export async function* toldToo() {}
function own() {}
`;
    assert.deepEqual(unsaid(text), ['untold', 'Untold']);
  });

  it('lets the first comment of a file speak for its only class, or its only function', () => {
    const head = `/** A queue. */\nimport { x } from './x.ts';\n\n`;
    assert.deepEqual(unsaid(`${head}export class Queue {}\n`), []);
    assert.deepEqual(unsaid(`${head}export function pop() {}\n`), []);
    assert.deepEqual(unsaid(`${head}export class Queue {}\nexport function pop() {}\n`), ['pop']);
    assert.deepEqual(unsaid(`${head}export function push() {}\nexport function pop() {}\n`), ['push', 'pop']);
  });
});
