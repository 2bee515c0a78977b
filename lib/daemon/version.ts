/** The version of this sluice, from the package it came in; the file lies equally deep in `lib` and `dist`. */
import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

export const { version } = JSON.parse(manifest) as { version: string };
