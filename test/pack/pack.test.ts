/** What npm would publish, installed into an empty folder and used from there. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseListen } from '../../lib/model/address.ts';
import { output } from '../support/child.ts';
import { freePort } from '../support/ports.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { sluice } from '../support/sluice.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const installTimeoutMs = 240_000;

/** Packages of this project with a native part. */
const bindings = ['node-linux-sockets', 'node-netfilter-queue'];

describe('the package', () => {
  let folder: Scratch;
  let files: string[];

  before(async () => {
    folder = scratch();
    folder.write('package.json', '{ "private": true }\n');
    // The build stands already; building it again would pull it away from under whoever runs it.
    const pack = ['pack', project, '--ignore-scripts', '--json'];
    const [packed] = JSON.parse(await output({ program: 'npm', args: pack, cwd: folder.path }));
    files = packed.files.map((file: { path: string }) => file.path);
    const install = [
      'install',
      `./${packed.filename}`,
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
    ];
    await output({ program: 'npm', args: install, cwd: folder.path }, installTimeoutMs);
  });

  after(() => folder.remove());

  it('holds the program, its manual, its licence, a dashboard and alert rules', () => {
    for (const file of [
      'package.json',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'bin/sluice.js',
      'man/sluice.8',
      'lib/metrics/grafana-dashboard.json',
      'lib/metrics/prometheus-alerts.yaml',
    ]) {
      assert.ok(files.includes(file), `${file} is missing`);
    }
    assert.ok(
      files.some((file) => /^dist\/.+\.js$/.test(file)),
      'dist/ is missing',
    );
  });

  it('carries its bindings of the kernel, built for this machine', () => {
    for (const name of bindings) {
      const binary = `prebuilds/linux-${process.arch}/${name}.node`;
      for (const file of ['package.json', 'dist/index.js', 'README.md', binary]) {
        assert.ok(files.includes(`node_modules/${name}/${file}`), `${file} of ${name} is missing`);
      }
    }
    const bundled = new Set(files.filter((file) => file.startsWith('node_modules/')).map(packageOf));
    assert.deepEqual([...bundled].sort(), bindings);
  });

  it('holds nothing else', () => {
    const own = files.filter((file) => !file.startsWith('node_modules/'));
    const top = new Set(own.map((file) => file.split('/')[0]));
    assert.deepEqual([...top].sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'lib',
      'man',
      'package.json',
    ]);
    assert.equal(
      own.filter((file) => file.startsWith('lib/')).length,
      2,
      'but what belongs beside Prometheus',
    );
    assert.deepEqual(
      own.filter((file) => /\.tsx?$|\.test\.|\.map$/.test(file)),
      [],
    );
  });

  it('answers npx with its version', async () => {
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    const npx = { program: 'npx', args: ['sluice', '--version'], cwd: folder.path };
    assert.equal((await output(npx)).trim(), version);
  });

  it('proxies a request', async () => {
    const origin = createServer((_, response) => response.end('through the package')).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    try {
      const port = await freePort();
      const args = ['proxy', `127.0.0.1:${port}`, `127.0.0.1:${(origin.address() as AddressInfo).port}`];
      const command = [join(folder.path, 'node_modules/.bin/sluice')];
      await using proxy = await sluice(args, { command, cwd: folder.path });
      assert.equal(proxy.ready.services[0]?.mode, 'proxy');
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(await response.text(), 'through the package');
    } finally {
      origin.closeAllConnections();
      origin.close();
    }
  });

  const replaceBindings = (content: string | null): void => {
    for (const name of bindings) {
      const prebuilds = join(folder.path, 'node_modules/sluice/node_modules', name, 'prebuilds');
      const binary = join(prebuilds, `linux-${process.arch}`, `${name}.node`);
      if (content === null) rmSync(prebuilds, { recursive: true });
      else writeFileSync(binary, content);
    }
  };

  for (const [name, prepare] of [
    ['proxies a datagram', () => undefined],
    ['proxies a datagram where its bindings do not load', () => replaceBindings('for another machine')],
    ['proxies a datagram where there are none', () => replaceBindings(null)],
  ] as const) {
    it(name, async () => {
      prepare();
      const origin = createSocket('udp4').bind(0, '127.0.0.1');
      const client = createSocket('udp4');
      await once(origin, 'listening');
      origin.on('message', (bytes, { port, address }) => origin.send(bytes, port, address));
      try {
        const args = ['proxy', 'udp://127.0.0.1:0', `127.0.0.1:${origin.address().port}`];
        const command = [join(folder.path, 'node_modules/.bin/sluice')];
        await using proxy = await sluice(args, { command, cwd: folder.path });
        client.send('through the package', parseListen(proxy.ready.services[0]!.listen).port, '127.0.0.1');
        const [answer] = await once(client, 'message', { signal: AbortSignal.timeout(10_000) });
        assert.equal(String(answer), 'through the package');
      } finally {
        client.close();
        origin.close();
      }
    });
  }
});

/** `node_modules/NAME/…` → NAME. */
function packageOf(file: string): string | undefined {
  return file.split('/')[1];
}
