import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const library = fileURLToPath(new URL('../../lib', import.meta.url));
const binaries = readdirSync(library, { recursive: true, encoding: 'utf8' }).filter((path) =>
  /^[^/]+\/prebuilds\/[^/]+\/[^/]+\.node$/.test(path),
);
const skip = spawnSync('readelf', ['--version']).error !== undefined && 'there is no readelf (binutils)';

// glibc gives its symbols versions and musl has none of its checked functions: a binary with either would
// load on some systems only.
describe('a prebuilt binary', { skip }, () => {
  for (const binary of binaries) {
    it(`names no C library and no version of one (${binary})`, () => {
      const file = `${library}/${binary}`;
      const { stdout } = spawnSync('readelf', ['--dynamic', '--dyn-syms', '--wide', file], {
        encoding: 'utf8',
      });
      assert.match(stdout, /UND napi_create_external/);
      assert.doesNotMatch(stdout, /NEEDED|GLIBC|_chk$/m);
    });
  }
});
