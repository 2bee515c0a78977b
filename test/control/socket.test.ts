import assert from 'node:assert/strict';
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { bindSocket, isListening } from '../../lib/control/socket.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { leaveDeadSocket } from './dead-socket.ts';

describe('a bound socket', () => {
  let directory: Scratch;
  let path: string;
  let servers: Server[];

  beforeEach(() => {
    directory = scratch();
    path = join(directory.path, 'web.sock');
    servers = [];
  });

  afterEach(async () => {
    for (const server of servers) await new Promise((closed) => server.close(closed));
    directory.remove();
  });

  const newServer = (): Server => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    return server;
  };
  const bind = (at = path, uid?: number) => bindSocket(newServer(), at, uid);
  const permissions = (file: string) => lstatSync(file).mode & 0o777;
  const close = (server: Server) => new Promise((closed) => server.close(closed));

  it('stands alone in its directory, for its user only', async () => {
    await bind();
    assert.deepEqual(readdirSync(directory.path), ['web.sock']);
    assert.equal(permissions(path), 0o600);
    assert.equal(await isListening(path), true);
  });

  it('is private whatever the umask, which stays as it was', async () => {
    const before = process.umask(0);
    try {
      await bind();
      assert.equal(process.umask(), 0);
    } finally {
      process.umask(before);
    }
    assert.equal(permissions(path), 0o600);
  });

  it('makes its directory: private for a user, open to look into for root', async () => {
    await bind(join(directory.path, 'user/web.sock'), process.getuid!() || 1000);
    await bind(join(directory.path, 'root/web.sock'), 0);
    assert.equal(permissions(join(directory.path, 'user')), 0o700);
    assert.equal(permissions(join(directory.path, 'root')), 0o755);
  });

  it('takes the place of a dead one', async () => {
    await leaveDeadSocket(path);
    assert.equal(await isListening(path), false);
    await bind();
    assert.equal(await isListening(path), true);
  });

  it('leaves a living one alone', async () => {
    await bind();
    await assert.rejects(bind(), { code: 'ERR_SLUICE_CONTROL_IN_USE', exitCode: 1, remedy: /--name/ });
    assert.deepEqual(readdirSync(directory.path), ['web.sock']);
    assert.equal(await isListening(path), true);
  });

  it('has one winner when many start at once, over nothing or over a dead one', async () => {
    for (const leave of [async () => undefined, leaveDeadSocket]) {
      const at = join(directory.path, `${leave.name}.sock`);
      await leave(at);
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => bind(at)));
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.equal(lost.length, 7);
      for (const { reason } of lost) assert.equal(reason.code, 'ERR_SLUICE_CONTROL_IN_USE');
      assert.equal(await isListening(at), true);
    }
  });

  it('never replaces what is not a socket', async () => {
    directory.write('web.sock', 'precious');
    await assert.rejects(bind(), { code: 'ERR_SLUICE_CONTROL_IN_USE', message: /is not a socket/ });
    assert.equal(readFileSync(path, 'utf8'), 'precious');
    symlinkSync(path, join(directory.path, 'link.sock'));
    await assert.rejects(bind(join(directory.path, 'link.sock')), { code: 'ERR_SLUICE_CONTROL_IN_USE' });
  });

  it('is removed by its owner', async () => {
    const server = newServer();
    const remove = await bindSocket(server, path);
    remove();
    await close(server);
    assert.deepEqual(readdirSync(directory.path), []);
  });

  it('is not removed by one whose place was taken', async () => {
    const first = newServer();
    const removeFirst = await bindSocket(first, path);
    renameSync(path, join(directory.path, 'moved'));
    await bind();
    removeFirst();
    await close(first);
    assert.equal(await isListening(path), true);
  });

  it('is missed by nobody if somebody else removed it', async () => {
    const remove = await bind();
    renameSync(path, join(directory.path, 'moved'));
    remove();
    assert.deepEqual(readdirSync(directory.path), ['moved']);
  });

  it('cannot be made below a file, where directories are missing, or in /proc: exit code 4', async () => {
    const file = directory.write('file', '');
    const missing = join(directory.path, 'missing/sluice/web.sock');
    for (const at of [join(file, 'web.sock'), missing, '/proc/web.sock', '/proc/sluice/web.sock']) {
      await assert.rejects(bind(at), {
        code: 'ERR_SLUICE_CONTROL_NOT_WRITABLE',
        exitCode: 4,
        remedy: /--control/,
      });
    }
  });

  it('is not made in a directory of another user', {
    skip: process.getuid!() !== 0 && 'only root can give a directory away: run as root',
  }, async () => {
    const others = join(directory.path, 'others');
    mkdirSync(others);
    chownSync(others, 4242, 4242);
    const at = join(others, 'web.sock');
    await assert.rejects(bind(at, 1000), {
      code: 'ERR_SLUICE_CONTROL_NOT_WRITABLE',
      message: `${others} belongs to another user`,
    });
    assert.deepEqual(readdirSync(others), []);
    await bind(at, 4242);
  });

  it('has a path of up to 107 bytes', async () => {
    const ofBytes = (bytes: number) => {
      const start = join(directory.path, 'ä');
      return start + 'x'.repeat(bytes - Buffer.byteLength(start));
    };
    await bind(ofBytes(107));
    assert.equal(await isListening(ofBytes(107)), true);
    await assert.rejects(bind(ofBytes(108)), {
      code: 'ERR_SLUICE_CONTROL_PATH_TOO_LONG',
      exitCode: 2,
      remedy: /100 bytes/,
    });
    const deep = join(directory.path, 'd'.repeat(102 - directory.path.length));
    await assert.rejects(bind(join(deep, 's')), { code: 'ERR_SLUICE_CONTROL_PATH_TOO_LONG' });
  });
});

describe('whether somebody listens', () => {
  it('is no where there is no socket', async () => {
    const directory = scratch();
    try {
      const file = directory.write('file', '');
      for (const path of [file, join(file, 'below'), join(directory.path, 'nothing')]) {
        assert.equal(await isListening(path), false);
      }
    } finally {
      directory.remove();
    }
  });
});
