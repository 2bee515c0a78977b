import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inside } from '../../../test/support/inside-netns.ts';

const network = inside(import.meta.url, 'end', {
  links: [{ ends: { end: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

const root = fileURLToPath(new URL('..', import.meta.url));

if (network !== undefined) {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [udpGroup, rawSocket, tun] = Array.from(
    readme.matchAll(/^```js\n(.*?)^```$/gms),
    ([, code]) => code!,
  );

  // Within the package, so that its name means itself; it was built by `npm run build`.
  const folder = mkdtempSync(join(root, 'readme-'));
  after(() => rmSync(folder, { recursive: true }));

  const run = (code: string): string => {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], { encoding: 'utf8' });
  };

  describe('what the README shows', () => {
    it('answers datagrams with themselves', async () => {
      const file = join(folder, 'group.mjs');
      writeFileSync(file, udpGroup!);
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
      after(() => child.kill());
      await once(child.stdout, 'data');
      const client = createSocket('udp4');
      after(() => client.close());
      for (const text of ['hello', 'bye']) {
        client.send(text, 9999, '127.0.0.1');
        const [answer] = await once(client, 'message', { signal: AbortSignal.timeout(10_000) });
        assert.equal(String(answer), text);
      }
      if (child.exitCode === null) await once(child, 'exit');
      assert.equal(child.exitCode, 0);
    });

    it('sends a packet, whose answer the machine makes', () => {
      const answers = (): number =>
        Number(/IcmpOutEchoReps\s+(\d+)/.exec(network.host('end').run('nstat -asz'))![1]);
      const before = answers();
      assert.equal(run(rawSocket!), 'the kernel took 1 packet\n');
      assert.equal(answers(), before + 1);
    });

    it('reads what is routed to a device', () => {
      assert.match(run(tun!), /^wire0: 84 bytes, protocol 1$/m);
    });
  });
}
