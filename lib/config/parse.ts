/** The configuration file as text: YAML 1.2, read to an `InstanceSpec`, or refused with the place of every mistake. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { Finding } from './explain.ts';
import { readInstance } from './read.ts';

export interface ConfigProblem {
  readonly message: string;
  readonly remedy?: string | undefined;
  /** `edge.yaml:14:7` */
  readonly place: string;
}

/** A configuration that cannot be used. It speaks of the first problem; `problems` has all, in the order of the file. */
export class ConfigError extends SluiceError {
  readonly problems: readonly ConfigProblem[];

  /** @param problems one at least */
  constructor(problems: readonly ConfigProblem[]) {
    const { message, remedy, place } = problems[0]!;
    const more = problems.length - 1;
    const rest = more === 0 ? '' : ` (and ${more} more ${more === 1 ? 'problem' : 'problems'})`;
    super('ERR_SLUICE_CONFIG', message + rest, {
      exitCode: ExitCode.configInvalid,
      place,
      ...(remedy === undefined ? {} : { remedy }),
    });
    this.problems = problems;
  }
}

/** What is wrong, and the offset in the text where it begins. */
interface Fault {
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly offset: number;
}

/**
 * Reads a configuration file. `file` is its name, for the places in errors.
 * @throws {ConfigError} with every problem that was found.
 */
export function parseConfig(text: string, file: string): InstanceSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error',
  });
  const outcome = read(document);
  if (outcome.spec !== undefined) return outcome.spec;
  // What an alias repeats is wrong once.
  const faults = new Map(outcome.faults.map((fault) => [`${fault.offset} ${fault.message}`, fault]));
  throw new ConfigError(
    [...faults.values()]
      .toSorted((one, other) => one.offset - other.offset)
      .map(({ message, remedy, offset }) => {
        const { line, col } = lines.linePos(offset);
        return { message, remedy, place: `${file}:${line}:${col}` };
      }),
  );
}

type Outcome = { readonly spec: InstanceSpec } | { readonly spec?: never; readonly faults: readonly Fault[] };

function read(document: Document.Parsed): Outcome {
  const syntax = syntaxFaults(document);
  if (syntax.length > 0) return { faults: syntax };
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { faults: [{ message: error.message, offset: lostAlias(document) }] };
  }
  const { spec, findings } = readInstance(value);
  if (spec !== undefined) return { spec };
  return { faults: findings.map((finding) => ({ ...finding, offset: offsetOf(document, finding) })) };
}

const quotes = { remedy: 'put values with brackets, or with a colon and a space, in quotes' };

/** What to do about the YAML parser's complaints, and other words for those that speak of its own interface. */
const syntaxWords: Readonly<Record<string, { readonly message?: string; readonly remedy: string }>> = {
  BAD_SCALAR_START: quotes,
  BLOCK_AS_IMPLICIT_KEY: quotes,
  MISSING_CHAR: quotes,
  UNEXPECTED_TOKEN: quotes,
  TAB_AS_INDENT: { remedy: 'indent with spaces' },
  DUPLICATE_KEY: { message: 'this key is there twice', remedy: 'leave one out' },
  NON_STRING_KEY: { message: 'this key is not text', remedy: 'write KEY: VALUE' },
  MULTIPLE_DOCS: { message: 'a second document begins here', remedy: 'keep one in a file' },
  RESOURCE_EXHAUSTION: { message: 'this is nested too deeply', remedy: 'close some brackets' },
};

/** What is not YAML; of several complaints about one place the first. */
function syntaxFaults(document: Document.Parsed): Fault[] {
  const faults = new Map<number, Fault>();
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const [offset] = pos;
    if (faults.has(offset)) continue;
    faults.set(offset, { message: message.split('\n')[0]!, ...syntaxWords[code], offset });
  }
  return [...faults.values()];
}

/** Where the first alias without an anchor stands; 0 if the fault is that all of them together grow too large. */
function lostAlias(document: Document.Parsed): number {
  let offset = 0;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      offset = startOf(alias);
      return visit.BREAK;
    },
  });
  return offset;
}

/**
 * Where the end of the path begins in the text. What is missing is shown at the map that lacks it; what is not known, or
 * has no value, at its key.
 */
function offsetOf(document: Document.Parsed, { path, unknownKey }: Finding): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [depth, step] of path.entries()) {
    const parent = isAlias(node) ? node.resolve(document) : node;
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      node = pair.value;
      const atKey = isEmpty(node) || (unknownKey && depth === path.length - 1);
      offset = startOf(atKey ? pair.key : node);
    } else if (isSeq(parent)) {
      node = parent.items[Number(step)];
      offset = startOf(node);
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number {
  return (isNode(node) && node.range?.[0]) || 0;
}

function isEmpty(node: unknown): boolean {
  return !isNode(node) || (isScalar(node) && node.value === null);
}
