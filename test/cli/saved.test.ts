import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePort } from '../support/ports.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, sluice } from '../support/sluice.ts';

const directory = scratch();
after(() => directory.remove());

/** Runs sluice as a person whose configuration directory is `home`. */
function person(home: string) {
  const env = { XDG_CONFIG_HOME: join(directory.path, home) };
  return { env, run: (...args: string[]) => runSluice(args, { env }) };
}

describe('saved services', () => {
  it('are kept, listed, replaced and forgotten', async () => {
    const { run } = person('kept');
    assert.deepEqual(await run('save', 'web', '--', 'proxy', ':8080', 'a:1=2', '--balance', 'random'), {
      code: 0,
      stdout: '',
      stderr: 'saved web\n',
    });
    await run('save', 'dns', '--', 'proxy', 'udp://:53', '[fd00::1]:53', '--check', "exec:dig 'x'");
    assert.equal(
      (await run('services')).stdout,
      `SERVICE  COMMAND
dns      proxy udp://:53 [fd00::1]:53 --check 'exec:dig '\\''x'\\'''
web      proxy :8080 a:1=2 --balance random
`,
    );
    await run('save', 'web', '--', 'proxy', ':8081', 'a:1');
    assert.equal((await run('forget', 'dns')).code, 0);
    assert.deepEqual(JSON.parse((await run('services', '--json')).stdout), {
      services: [{ name: 'web', arguments: ['proxy', ':8081', 'a:1'] }],
    });
  });

  it('run together with sluice up', async () => {
    const { env, run } = person('run');
    const control = join(directory.path, 'up.sock');
    await run('save', 'one', '--', 'proxy', '127.0.0.1:0', '127.0.0.1:9', '--check', 'none');
    await run(
      'save',
      'two',
      '--',
      'proxy',
      `udp://127.0.0.1:${await freePort()}`,
      '127.0.0.1:9',
      '127.0.0.1:8',
    );
    await using running = await sluice(['up', '--control', control], { env });
    assert.deepEqual(
      running.ready.services.map(({ name, backends }) => [name, backends]),
      [
        ['one', 1],
        ['two', 2],
      ],
    );
    await run('save', 'three', '--', 'proxy', '127.0.0.1:0', '127.0.0.1:9', '--check', 'none');
    const { added, removed } = JSON.parse((await run('reload', '--control', control, '--json')).stdout);
    assert.deepEqual({ added, removed }, { added: ['three'], removed: [] });
  });

  it('are not made of what would not run', async () => {
    const { run } = person('refused');
    const { code, stderr } = await run('save', 'web', '--', 'proxy', ':99999', 'a:1');
    assert.equal(code, 2);
    assert.match(stderr, /^sluice: ":99999" is not an address/);
    assert.equal((await run('services')).stdout, 'SERVICE  COMMAND\n');
  });

  it('have to exist to be forgotten or to run, and are not made by asking', async () => {
    const { env, run } = person('empty');
    assert.equal((await run('services')).code, 0);
    assert.equal(existsSync(env.XDG_CONFIG_HOME), false);
    assert.deepEqual(await run('forget', 'web'), {
      code: 2,
      stdout: '',
      stderr: 'sluice: no service is saved as "web" — see sluice services\n',
    });
    assert.deepEqual(await run('up'), {
      code: 2,
      stdout: '',
      stderr:
        'sluice: no service is saved — use sluice save NAME -- proxy|nat|dsr ARGS..., or sluice up -f FILE\n',
    });
  });

  it('are called unreadable where their file was spoiled', async () => {
    for (const [index, content] of ['{', '{"services":[{"name":1}]}', '{"services":{}}'].entries()) {
      const { env, run } = person(`spoiled-${index}`);
      mkdirSync(join(env.XDG_CONFIG_HOME, 'sluice'), { recursive: true });
      writeFileSync(join(env.XDG_CONFIG_HOME, 'sluice', 'services.json'), content);
      const { code, stderr } = await run('services');
      assert.equal(code, 3, stderr);
      assert.match(
        stderr,
        /^sluice: the saved services [^\n]+ — mend the file, or remove it to begin anew\n {2}at .*services\.json\n$/,
      );
    }
  });

  it('need a directory that can be written', async () => {
    const { code, stderr } = await runSluice(['save', 'web', '--', 'proxy', ':80', 'a:1'], {
      env: { XDG_CONFIG_HOME: '/dev/null' },
    });
    assert.equal(code, 4);
    assert.equal(
      stderr,
      'sluice: services cannot be kept at /dev/null/sluice/services.json (ENOTDIR) — set XDG_CONFIG_HOME to a directory of your own\n',
    );
  });
});
