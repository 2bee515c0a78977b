import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { violations } from './floors.ts';
import { librarySources } from './sources.ts';

/** What is said of one file at `path` with the source `text`. */
const judge = (path: string, text: string) => violations([{ path, text }]);

describe('the floors of lib/', () => {
  it('are kept by every file', () => {
    const sources = librarySources();
    assert.ok(sources.length > 0, 'no source was found');
    assert.deepEqual(violations(sources), []);
  });
});

describe('the check of the floors', () => {
  it('lets a file use its own folder, its own floor and lower ones', () => {
    const path = 'lib/proxy/relay.ts';
    const text = `
import { connect } from 'node:net';
import { something } from './neighbour.ts';
import type { BackendSpec } from '../model/spec.ts';
import { probe } from '../health/session/probe.ts';
export { maglev } from '../hash/maglev.ts';
`;
    assert.deepEqual(judge(path, text), []);
  });

  it('finds an import of a higher floor, however it is written', () => {
    for (const text of [
      `import { relay } from '../proxy/relay.ts';`,
      `import type { Relay } from '../proxy/relay.ts';`,
      `import {\n  relay,\n  type Relay,\n} from '../proxy/relay.ts';`,
      `import '../proxy/relay.ts';`,
      `export * from '../proxy/relay.ts';`,
      `const { relay } = await import('../proxy/relay.ts');`,
    ]) {
      assert.deepEqual(judge('lib/balance/pool.ts', text), [
        'lib/balance/pool.ts: balance (floor 0) imports proxy (floor 2): ../proxy/relay.ts',
      ]);
    }
  });

  it('does not take a comment for an import', () => {
    const text = `/**\n * import { relay } from '../proxy/relay.ts';\n */\n// await import('../proxy/relay.ts')\n`;
    assert.deepEqual(judge('lib/balance/pool.ts', text), []);
  });

  it('puts a session folder on floor 2, above the decisions it stands beside', () => {
    assert.deepEqual(judge('lib/health/session/tcp.ts', `import { connect } from 'node:net';`), []);
    assert.equal(judge('lib/health/judgement.ts', `import { probe } from './session/tcp.ts';`).length, 1);
  });

  it('finds a Node module or a package in pure code', () => {
    assert.deepEqual(judge('lib/bgp/codec.ts', `import { Socket } from 'node:net';`), [
      'lib/bgp/codec.ts: bgp is pure and may not import: node:net',
    ]);
    assert.equal(judge('lib/bgp/codec.ts', `import { z } from 'zod';`).length, 1);
    assert.deepEqual(judge('lib/config/schema.ts', `import { z } from 'zod';`), []);
  });

  it('finds time and chance in pure code, but not in what is said of them', () => {
    assert.deepEqual(judge('lib/hash/seed.ts', `const seed = Math.random();`), [
      'lib/hash/seed.ts: hash is pure and may not use Math.random',
    ]);
    const text = `/** Never Date.now(). */\nconst note = 'setTimeout'; // process.exit\nconst f = clock.nowMs();`;
    assert.deepEqual(judge('lib/hash/seed.ts', text), []);
  });

  it('finds a folder that stands on no floor, and an import of one', () => {
    assert.deepEqual(judge('lib/utils/misc.ts', ''), ['lib/utils/misc.ts: lib/utils stands on no floor']);
    assert.equal(judge('lib/cli/main.ts', `import { misc } from '../utils/misc.ts';`).length, 1);
  });

  it('lets people reach the process through control, and only cli start the daemon', () => {
    assert.deepEqual(judge('lib/tui/app.tsx', `import { client } from '../control/client.ts';`), []);
    assert.deepEqual(judge('lib/cli/proxy.ts', `import { run } from '../daemon/run.ts';`), []);
    assert.deepEqual(judge('lib/tui/app.tsx', `import { run } from '../daemon/run.ts';`), [
      'lib/tui/app.tsx: tui imports daemon, not control: ../daemon/run.ts',
    ]);
  });

  it('finds folders of one floor that use each other in a circle', () => {
    const sources = [
      { path: 'lib/hash/one.ts', text: `import { two } from '../balance/two.ts';` },
      { path: 'lib/balance/two.ts', text: `import { three } from '../model/three.ts';` },
      { path: 'lib/model/three.ts', text: `import { one } from '../hash/one.ts';` },
      { path: 'lib/packet/four.ts', text: `import { one } from '../hash/one.ts';` },
    ];
    assert.deepEqual(violations(sources), [
      'lib/hash uses itself in a circle of folders',
      'lib/balance uses itself in a circle of folders',
      'lib/model uses itself in a circle of folders',
    ]);
  });
});
