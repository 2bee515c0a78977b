/** The source files of lib/, and the parts of a source that the structure tests look at. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Source {
  /** From the project's root, with slashes: `lib/hash/maglev.ts`. */
  readonly path: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packages of their own, with structure and tests of their own. */
const besideTheFloors = /^node-(?:linux-sockets|netfilter-queue)\//;

/** Every TypeScript file of the floors in lib/. */
export function librarySources(): Source[] {
  return readdirSync(`${root}/lib`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !besideTheFloors.test(name))
    .map((name) => `lib/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));
}

/** What the source imports, types included: relative paths, packages and `node:` modules as they are written. */
export function importsOf(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]/gm);
  const expressions = codeOf(text, 'with strings').matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  return [...statements, ...expressions].map((match) => match[1]!);
}

/** The source without its comments, and without the content of its strings unless asked for. */
export function codeOf(text: string, strings?: 'with strings'): string {
  const commentOrString =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(commentOrString, (found) => {
    if (found.startsWith('/')) return ' ';
    return strings === undefined ? "''" : found;
  });
}
