import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { output, run, startServer } from './child.ts';
import { dnsperf, knot } from './dns.ts';
import { haproxy } from './haproxy.ts';
import { iperf3, iperf3Server } from './iperf3.ts';
import type { Listener } from './listener.ts';
import { nginxOrigin, nginxStream } from './nginx.ts';
import { freePort, isListening } from './ports.ts';
import { allowedCores, cpuSeconds, descriptors, residentKiB } from './proc.ts';
import { scratch } from './scratch.ts';
import { missing } from './tools.ts';
import { wrk } from './wrk.ts';

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

async function textFrom({ port }: Listener): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

describe('a peer', () => {
  it('as an HTTP origin answers with its body', { skip: missing('nginx') }, async () => {
    await using origin = await nginxOrigin({ body: 'I am "one"\n' });
    assert.equal(await textFrom(origin), 'I am "one"\n');
  });

  it('as a balancer relays', { skip: missing('nginx', 'nginx-stream', 'haproxy') }, async () => {
    await using origin = await nginxOrigin({ body: 'relayed' });
    await using first = await haproxy({ backend: origin.port });
    await using second = await nginxStream({ backend: first.port });
    assert.equal(await textFrom(second), 'relayed');
  });

  it('is gone once it was stopped, with all that it wrote', { skip: missing('nginx') }, async () => {
    const origin = await nginxOrigin();
    assert.ok(isAlive(origin.pid) && isListening('tcp', origin.port));
    await origin.stop();
    assert.ok(!isAlive(origin.pid) && !isListening('tcp', origin.port));
  });
});

describe('a load', () => {
  it('of HTTP counts what was answered', { skip: missing('wrk', 'nginx') }, async () => {
    await using origin = await nginxOrigin();
    const { requests, errors } = await wrk(`http://127.0.0.1:${origin.port}/`, {
      seconds: 1,
      connections: 2,
    });
    assert.ok(requests > 0);
    assert.deepEqual(errors, { connect: 0, read: 0, write: 0, timeout: 0, status: 0 });
  });

  it('of DNS counts what was answered', { skip: missing('knotd', 'dnsperf') }, async () => {
    await using server = await knot();
    const { sent, completed, lost } = await dnsperf({
      port: server.port,
      seconds: 1,
      clients: 2,
      outstanding: 4,
    });
    assert.ok(completed > 0);
    assert.equal(completed + lost, sent);
  });

  it('of bulk counts what arrived, either way', { skip: missing('iperf3') }, async () => {
    await using server = await iperf3Server();
    for (const reverse of [false, true]) {
      const { bytes } = await iperf3({ port: server.port, seconds: 1, reverse });
      assert.ok(bytes > 0);
    }
  });
});

describe('a child process', () => {
  it('that ends before it is ready is reported with what it said', async () => {
    const command = { program: 'sh', args: ['-c', 'echo cannot bind >&2; exit 3'] };
    await assert.rejects(
      startServer(command, () => new Promise(() => {})),
      (error: Error) => /cannot bind/.test(error.message) && /exited with 3/.test(String(error.cause)),
    );
  });

  it('that does not exist is an error', async () => {
    await assert.rejects(output({ program: '/nonexistent/program', args: [] }), /ENOENT/);
  });

  it('is killed when it runs too long', async () => {
    assert.equal((await run({ program: 'sleep', args: ['60'] }, 50)).code, null);
  });

  it('cleans up even when it must be killed to stop', async () => {
    const directory = scratch();
    const command = { program: 'sleep', args: ['60'] };
    const server = await startServer(command, () => Promise.resolve(), directory.remove);
    server.kill('SIGKILL');
    assert.equal(await server.exited, null);
    await server.stop();
    assert.ok(!existsSync(directory.path));
  });
});

describe('a test that is ended', () => {
  it('takes its children and directories with it', async () => {
    const script = `
      import { startServer } from '${new URL('./child.ts', import.meta.url)}';
      import { scratch } from '${new URL('./scratch.ts', import.meta.url)}';
      const command = { program: 'sh', args: ['-c', 'sleep 60 & echo $!; wait'] };
      const { pid, stdout } = await startServer(command, async (server) => {
        while (!server.stdout().includes('\\n')) await new Promise((resolve) => setTimeout(resolve, 5));
      });
      console.log(JSON.stringify([pid, Number(stdout()), scratch().path]));
    `;
    const node = {
      program: process.execPath,
      args: ['--import', 'tsx', '--input-type=module', '-e', script],
    };
    let left: [number, number, string] | undefined;
    const test = await startServer(node, async (server) => {
      while (!server.stdout().endsWith('\n')) await new Promise((resolve) => setTimeout(resolve, 5));
      left = JSON.parse(server.stdout());
    });
    const [shell, sleep, directory] = left!;
    assert.ok(isAlive(shell) && isAlive(sleep) && existsSync(directory));
    await test.stop();
    while (isAlive(shell) || isAlive(sleep)) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(!existsSync(directory));
  });
});

describe('what Linux says of a process', () => {
  it('is its memory, descriptors and processor time, that of its children too', async () => {
    const busy = { program: 'sh', args: ['-c', 'timeout 10 sh -c "while :; do :; done" & wait'] };
    await using server = await startServer(busy, () => Promise.resolve());
    while (cpuSeconds(server.pid) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(residentKiB(process.pid) > 10_000);
    assert.ok(descriptors(process.pid) >= 3);
    assert.ok(allowedCores().length > 0);
  });
});

describe('a free port', () => {
  it('is one that nobody listens on', async () => {
    const port = await freePort();
    assert.equal(isListening('tcp', port) || isListening('udp', port), false);
  });
});
