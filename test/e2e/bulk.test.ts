/**
 *   bash, cat, sha256sum ◀──▶ sluice proxy ◀──▶ nginx, a file of 1 GiB
 *
 * Nothing of ours touches the bytes but the proxy: what arrives is told by what it hashes to.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { output } from '../support/child.ts';
import type { Listener } from '../support/listener.ts';
import { nginxFiles } from '../support/nginx.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { Inspector, portOf } from './support.ts';

const totalBytes = 2 ** 30;

/** Bytes that look random and never repeat: the key stream of AES in counter mode. */
function* unlike(): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(2 ** 20);
  for (let sent = 0; sent < totalBytes; sent += zeros.length) yield cipher.update(zeros);
}

/** Runs a script of bash with `$port`, `$file` and `$length`; its descriptor 3 is a connection to the port. */
async function converse(port: number, file: string, script: string): Promise<string> {
  const env = { port: String(port), file, length: String(totalBytes) };
  const connected = `set -euo pipefail; exec 3<>/dev/tcp/127.0.0.1/$port; ${script}`;
  return (await output({ program: 'bash', args: ['-c', connected], env })).trim();
}

describe('a gigabyte', { skip: missing('nginx') }, () => {
  let directory: Scratch;
  let original: string;
  let digest: string;
  let origin: Listener;
  let proxy: Sluice;

  before(async () => {
    directory = scratch();
    original = join(directory.path, 'original');
    const hash = createHash('sha256');
    const hashed = Readable.from(unlike()).on('data', (part) => hash.update(part));
    await pipeline(hashed, createWriteStream(original));
    digest = `${hash.digest('hex')}  -`;
    origin = await nginxFiles({ root: directory.path });
    proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`]);
  });

  after(async () => {
    await proxy.stop();
    await origin.stop();
    directory.remove();
  });

  it('arrives as it was sent, from backend to client', async () => {
    const download = `printf 'GET /original HTTP/1.0\\r\\n\\r\\n' >&3
      while IFS= read -r line <&3 && [[ $line != $'\\r' ]]; do :; done
      sha256sum <&3`;
    assert.equal(await converse(portOf(proxy), original, download), digest);
  });

  it('arrives as it was sent, from client to backend', async () => {
    const upload = `printf 'PUT /copy HTTP/1.0\\r\\nContent-Length: %s\\r\\n\\r\\n' $length >&3
      cat "$file" >&3
      read -r answer <&3; printf %s "$answer"`;
    assert.match(await converse(portOf(proxy), original, upload), /^HTTP\/1.1 201 /);
    const copy = join(directory.path, 'copy');
    assert.equal((await output({ program: 'bash', args: ['-c', 'sha256sum <"$0"', copy] })).trim(), digest);
  });

  it('is counted to the byte, but for the words around it', async () => {
    const { bytesIn, bytesOut } = await new Inspector(proxy).service();
    for (const bytes of [bytesIn, bytesOut]) assert.ok(bytes! >= totalBytes && bytes! < totalBytes + 10_000);
  });
});
