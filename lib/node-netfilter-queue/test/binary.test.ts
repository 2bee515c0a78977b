import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const prebuilds = fileURLToPath(new URL('../prebuilds', import.meta.url));
const skip = spawnSync('readelf', ['--version']).error !== undefined && 'there is no readelf (binutils)';

// glibc gives its symbols versions and musl has none of its checked functions: a binary with either would
// load on some systems only.
describe('a prebuilt binary', { skip }, () => {
  for (const machine of existsSync(prebuilds) ? readdirSync(prebuilds) : []) {
    it(`names no C library and no version of one (${machine})`, () => {
      const file = `${prebuilds}/${machine}/node-netfilter-queue.node`;
      const { stdout } = spawnSync('readelf', ['--dynamic', '--dyn-syms', '--wide', file], {
        encoding: 'utf8',
      });
      assert.match(stdout, /UND napi_create_external/);
      assert.doesNotMatch(stdout, /NEEDED|GLIBC|_chk$/m);
    });
  }
});
