/** What zod found wrong, in words: for each mistake a sentence, a remedy, and the path to it. */
import type { z } from 'zod';

/** One mistake. */
export interface Finding {
  readonly message: string;
  readonly remedy?: string | undefined;
  /** The keys and indexes that lead to it from the root. */
  readonly path: readonly PropertyKey[];
  /** The last key of the path is the mistake, not its value. */
  readonly unknownKey?: true;
}

type Issue = z.core.$ZodIssue;

/** `issues` must come from a parse with `reportInput`. `at` is the path to what was parsed. */
export function explain(issues: readonly Issue[], at: readonly PropertyKey[] = []): Finding[] {
  return issues.flatMap((issue) => explainOne(issue, [...at, ...issue.path]));
}

function explainOne(issue: Issue, path: readonly PropertyKey[]): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const lines = issue.message.split('\n');
    return issue.keys.map((key, index) => ({
      message: lines[2 * index]!,
      remedy: lines[2 * index + 1]!,
      path: [...path, key],
      unknownKey: true,
    }));
  }
  if (issue.code === 'invalid_union') {
    // The alternative that was meant is the one whose type fits the value.
    const meant = issue.errors.find((issues) => !issues.some(isWrongType));
    if (meant !== undefined) return explain(meant, path);
  }
  const [message, remedy] = hasOwnWords(issue) ? issue.message.split('\n') : sentence(issue, subject(path));
  return [{ message: message!, remedy: remedy === '' ? undefined : remedy, path }];
}

function isWrongType(issue: Issue): issue is z.core.$ZodIssueInvalidType {
  return issue.code === 'invalid_type' && issue.path.length === 0 && !hasOwnWords(issue);
}

function expectedBy(issue: z.core.$ZodIssueInvalidType): string {
  return issue.expected;
}

/** The message is a sentence and a remedy, not zod's. */
function hasOwnWords(issue: Issue): boolean {
  return issue.message.includes('\n');
}

/** The key that the value belongs to; an item of a list goes by the list's. */
function subject(path: readonly PropertyKey[]): string {
  const index = path.findLastIndex((step) => typeof step === 'string');
  if (index < 0) return 'the configuration';
  const key = String(path[index]);
  return index === path.length - 1 ? key : `an item of ${key}`;
}

type Explanation = readonly [message: string, remedy?: string | undefined];

function sentence(issue: Issue, name: string): Explanation {
  if (issue.code === 'too_small' && issue.origin === 'array') {
    return [`${name} is empty`, 'list one at least'];
  }
  const value = valueAt(issue);
  if (value === undefined) return [`${name} is missing`, `add ${name}: to the map that begins here`];
  if (value === null) return [`${name} is empty`, 'give it a value, or leave it out'];
  switch (issue.code) {
    case 'too_small':
      return [`${name} must be ${issue.minimum} or more, not ${show(value)}`];
    case 'too_big':
      return [`${name} must be ${issue.maximum} or less, not ${show(value)}`];
    case 'invalid_value':
      return [`${name} ${show(value)} is unknown`, `use ${issue.values.join(', ')}`];
    case 'invalid_type':
      return mistyped(name, value, [expectedBy(issue)]);
    case 'invalid_union':
      if ('options' in issue)
        return [`${name} ${show(value)} is unknown`, `use ${issue.options?.join(', ')}`];
      // No alternative was meant: each has complained of the type.
      return mistyped(
        name,
        value,
        issue.errors.flatMap((issues) => issues.filter(isWrongType).map(expectedBy)),
      );
    default:
      return [`${name} is wrong: ${issue.message}`];
  }
}

/** Of a choice between kinds of map the value is the key that chooses. */
function valueAt(issue: Issue): unknown {
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return issue.input;
  return (issue.input as Record<string, unknown>)[issue.discriminator];
}

const kindNames: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a map',
  array: 'a list',
  int: 'a whole number',
  number: 'a whole number',
};

function mistyped(name: string, value: unknown, expected: readonly string[]): Explanation {
  const wanted = expected.map((kind) => kindNames[kind] ?? kind).join(' or ');
  const scalar = typeof value !== 'object';
  const remedy = expected.includes('string') && scalar ? `put it in quotes: "${value}"` : undefined;
  return [`${name} must be ${wanted}, not ${show(value)}`, remedy];
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}
