import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { controlPath, findControl, listInstances } from '../../lib/control/path.ts';
import { bindSocket } from '../../lib/control/socket.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { leaveDeadSocket } from './dead-socket.ts';

describe('the path of a control socket', () => {
  const session = { XDG_RUNTIME_DIR: '/run/user/1000' };

  it('is in /run/sluice for root, whatever the environment says', () => {
    assert.equal(controlPath('web', session, 0), '/run/sluice/web.sock');
  });

  it('is in the runtime directory of a login session', () => {
    assert.equal(controlPath('web', session, 1000), '/run/user/1000/sluice/web.sock');
  });

  it('is in a temporary directory of its user where there is no such directory', () => {
    for (const env of [{}, { XDG_RUNTIME_DIR: '' }, { XDG_RUNTIME_DIR: 'run/user/1000' }]) {
      assert.equal(controlPath('web', env, 1000), join(tmpdir(), 'sluice-1000/web.sock'));
    }
  });

  it('never leaves its directory', () => {
    assert.equal(controlPath('..', session, 0), '/run/sluice/...sock');
    for (const name of ['', '../web', '/etc/web']) {
      assert.throws(() => controlPath(name, session, 0), { code: 'ERR_SLUICE_USAGE', exitCode: 2 });
    }
  });
});

describe('finding an instance', () => {
  const uid = 1000;
  let runtime: Scratch;
  let env: { readonly XDG_RUNTIME_DIR: string };
  let servers: Server[];

  beforeEach(() => {
    runtime = scratch();
    env = { XDG_RUNTIME_DIR: runtime.path };
    servers = [];
  });

  afterEach(async () => {
    for (const server of servers) await new Promise((closed) => server.close(closed));
    runtime.remove();
  });

  const start = async (name: string): Promise<string> => {
    const server = createServer((socket) => socket.destroy());
    const path = controlPath(name, env, uid);
    await bindSocket(server, path);
    servers.push(server);
    return path;
  };

  it('lists those that answer, by name', async () => {
    const web = await start('web');
    const api = await start('api');
    await leaveDeadSocket(controlPath('crashed', env, uid));
    runtime.write('sluice/notes.sock', 'not a socket');
    runtime.write('sluice/notes.txt', 'not even called one');
    assert.deepEqual(await listInstances(env, uid), [
      { name: 'api', control: api },
      { name: 'web', control: web },
    ]);
  });

  it('lists nothing where no instance ever ran', async () => {
    assert.deepEqual(await listInstances(env, uid), []);
  });

  it('takes an explicit path as it is, before any name', async () => {
    assert.equal(await findControl({ control: './x.sock', name: 'web' }, env, uid), './x.sock');
  });

  it('goes by the name', async () => {
    await start('api');
    const web = await start('web');
    assert.equal(await findControl({ name: 'web' }, env, uid), web);
  });

  it('takes the only one there is when nothing is said', async () => {
    const web = await start('web');
    await leaveDeadSocket(controlPath('crashed', env, uid));
    assert.equal(await findControl({}, env, uid), web);
  });

  it('ends with exit code 5 when there is none', async () => {
    await leaveDeadSocket(controlPath('crashed', env, uid));
    const none = { code: 'ERR_SLUICE_NO_INSTANCE', exitCode: 5, remedy: /--name NAME or --control PATH/ };
    await assert.rejects(findControl({}, env, uid), { ...none, message: 'no instance is running' });
    await assert.rejects(findControl({ name: 'crashed' }, env, uid), {
      ...none,
      message: 'no instance called crashed is running',
    });
    mkdirSync(join(runtime.path, 'other'));
    await assert.rejects(findControl({}, { XDG_RUNTIME_DIR: join(runtime.path, 'other') }, uid), none);
  });

  it('asks which one when there are several', async () => {
    await start('web');
    await start('api');
    await assert.rejects(findControl({}, env, uid), {
      code: 'ERR_SLUICE_SEVERAL_INSTANCES',
      exitCode: 2,
      message: 'several instances are running: api, web',
      remedy: 'choose one with --name',
    });
  });
});
