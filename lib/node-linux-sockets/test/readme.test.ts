import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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
  const [rawSocket, tun] = Array.from(readme.matchAll(/^```js\n(.*?)^```$/gms), ([, code]) => code!);

  // Within the package, so that its name means itself; it was built by `npm run build`.
  const folder = mkdtempSync(join(root, 'readme-'));
  after(() => rmSync(folder, { recursive: true }));

  const run = (code: string): string => {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], { encoding: 'utf8' });
  };

  describe('what the README shows', () => {
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
