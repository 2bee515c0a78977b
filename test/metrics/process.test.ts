import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { readProcess } from '../../lib/metrics/process.ts';

describe('what the system says of this process', () => {
  it('is in base units', async () => {
    const { residentMemoryBytes, cpuSeconds, startTimeSeconds } = await readProcess();
    assert.ok(residentMemoryBytes > 10e6 && residentMemoryBytes < 10e9);
    assert.ok(cpuSeconds > 0.01 && cpuSeconds < 600);
    const startedSeconds = Date.now() / 1e3 - process.uptime();
    assert.ok(Math.abs(startTimeSeconds - startedSeconds) < 5);
  });

  it('counts open descriptors, up to their limit', {
    skip: process.platform !== 'linux' && 'needs /proc: run on Linux',
  }, async () => {
    const before = await readProcess();
    const files = await Promise.all(Array.from({ length: 20 }, () => open('/dev/null')));
    const during = await readProcess();
    await Promise.all(files.map((file) => file.close()));
    // Others of this process come and go meanwhile: a thread of the loader, the reader of /proc itself.
    assert.ok(Math.abs(during.openFds! - before.openFds! - files.length) <= 3);
    assert.ok(before.openFds! < before.maxFds!);
  });
});
