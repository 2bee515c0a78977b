/** The commands that speak to a running instance, against one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { parseListen } from '../../lib/model/address.ts';
import type { BackendView } from '../../lib/model/view.ts';
import { CaptureReader, captureHeader, captureRecord } from '../../lib/trace/pcap.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';

const directory = scratch();
const control = join(directory.path, 'edge.sock');
const file = join(directory.path, 'edge.yaml');

/** Keeps connections open until the test ends. */
const origin = createServer();
let first: string;
let second: string;
let instance: Sluice;

function configure(weight: number, more = ''): void {
  writeFileSync(
    file,
    `name: edge-1
services:
  - name: web
    listen: 127.0.0.1:0
    check: none
    backends:
      - ${first}
      - { address: ${second}, weight: ${weight} }
${more}`,
  );
}

const ask = (...args: string[]) => runSluice([...args, '--control', control]);

async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ask(...args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  return stdout;
}

async function document(...args: string[]) {
  return JSON.parse(await said(...args, '--json'));
}

/** A client of the service, until the end of the block. */
async function openClient() {
  const { port } = parseListen(instance.ready.services[0]!.listen);
  const client = connect(port, '127.0.0.1');
  const [peer] = (await once(origin, 'connection')) as [Socket];
  return {
    port: client.localPort,
    async [Symbol.asyncDispose]() {
      client.on('error', () => undefined).destroy();
      peer.on('error', () => undefined).destroy();
    },
  };
}

before(async () => {
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  first = `127.0.0.1:${port}`;
  second = '127.0.0.1:9';
  configure(0);
  instance = await sluice(['up', '-f', file, '--control', control, '--drain', '2s']);
});

after(async () => {
  await instance.stop();
  origin.close();
  directory.remove();
});

describe('a running instance', () => {
  it('shows its status', async () => {
    const [line, titles, row] = (await said('status')).split('\n');
    assert.match(line!, /^edge-1 is serving, up \S+, pid \d+, sluice \d+\.\d+\.\d+$/);
    assert.match(titles!, /^SERVICE {2}MODE {3}LISTEN +BALANCE +UP {2}FLOWS/);
    assert.match(row!, /^web {6}proxy {2}tcp:\/\/127\.0\.0\.1:\d+ {2}round-robin +\d\/2 /);
    const { name, pid, services } = await document('status');
    assert.deepEqual({ name, pid }, { name: 'edge-1', pid: instance.pid });
    assert.equal(services[0].backends, 2);
  });

  it('shows its backends', async () => {
    const lines = (await said('backends')).trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[1]!, new RegExp(`^web {6}${first} +${first} +1 {2}up `));
    const { backends } = await document('backends');
    assert.deepEqual(
      backends.map(({ name, weight }: BackendView) => [name, weight]),
      [
        [first, 1],
        [second, 0],
      ],
    );
  });

  it('shows its flows', async () => {
    await using client = await openClient();
    const [titles, row] = (await said('flows')).split('\n');
    assert.match(titles!, /^PROTOCOL {2}CLIENT +VIP +BACKEND +STATE/);
    assert.match(row!, new RegExp(`^tcp +127\\.0\\.0\\.1:${client.port} .* ${first} +established `));
    const { flows } = await document('flows', '--limit', '1');
    assert.equal(flows.length, 1);
    assert.equal(flows[0].client, `127.0.0.1:${client.port}`);
  });

  it('drains a backend and takes it back', async () => {
    assert.match(await said('drain', first), / draining /);
    const { event, backends } = await document('enable', first);
    assert.deepEqual([event, backends[0].state], ['enable', 'up']);
  });

  it('changes a weight', async () => {
    const { event, backends } = await document('weight', first, '7', '--service', 'web');
    assert.deepEqual([event, backends.length, backends[0].weight], ['weight', 1, 7]);
  });

  it('knows no backend or service of another name', async () => {
    const { code, stderr } = await ask('drain', 'nobody');
    assert.equal(code, 1);
    assert.match(stderr, /^sluice: there is no backend "nobody" — /);
    assert.match((await ask('drain', first, '--service', 'dns')).stderr, /in service "dns"/);
  });

  it('plans what a file would change, or its own, and changes nothing', async () => {
    const other = directory.write('other.yaml', readFileSync(file, 'utf8').replace('weight: 0', 'weight: 9'));
    assert.match(await said('plan', '-f', other), /^edge-1: 1 service changed\n.* weight 0 → 9\n/s);
    const { event, changed, refused } = await document('plan', '-f', other);
    assert.deepEqual([event, changed, refused], ['plan', ['web (backends)'], null]);
    assert.equal(await said('plan'), 'edge-1: nothing changes\n');
    // As the flags win that it was started with.
    const drained = directory.write('drained.yaml', `drain: 9s\n${readFileSync(file, 'utf8')}`);
    assert.equal((await document('plan', '-f', drained)).drainMs, 2_000);
  });

  it('says what is wrong with a file to plan for, whether or not it runs', async () => {
    const broken = directory.write('broken.yaml', 'services: 1\n');
    for (const whom of [
      ['--control', control],
      ['--name', 'nobody'],
    ]) {
      const { code, stdout, stderr } = await runSluice(['plan', '-f', broken, ...whom]);
      assert.deepEqual([code, stdout], [3, '']);
      assert.match(stderr, /broken\.yaml:1:11\n$/);
    }
    assert.equal((await runSluice(['plan', '-f', file, '--name', 'nobody'])).code, 5);
  });

  it('traces a flow, running or in a file', async () => {
    await using client = await openClient();
    const { port } = parseListen(instance.ready.services[0]!.listen);
    const flow = [`127.0.0.1:${client.port}`, `127.0.0.1:${port}`];
    assert.match(await said('trace', ...flow), /\nflow {6}established, .*\nbackend {3}127/s);
    const { event, running, backend } = await document('trace', 'tcp', ...flow);
    assert.deepEqual([event, running, backend], ['trace', true, first]);
    const offline = await runSluice(['trace', '127.0.0.1:1', '127.0.0.1:9', '-f', file, '--json']);
    assert.deepEqual([offline.code, JSON.parse(offline.stdout).verdict], [0, 'accept']);
  });

  it('runs a capture through, running or in a file', async () => {
    const capture = join(directory.path, 'in.pcap');
    const output = join(directory.path, 'out.pcap');
    const format = { littleEndian: true, nanoseconds: false, linkType: 101 };
    const packet = probePacket(parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']), true);
    const frame = { timeMs: 0, bytes: packet, wireLength: packet.length, seconds: 7, fraction: 9 };
    const record = captureRecord(format, frame, packet);
    writeFileSync(capture, Buffer.concat([captureHeader(format), record, record]));
    // Packets of a proxy's clients are the kernel's own affair.
    assert.equal(
      await said('trace', '--pcap', capture),
      `    1   0.000000  tcp 198.51.100.7:40000 → 192.0.2.10:80  = not-ours
    2   0.000000  tcp 198.51.100.7:40000 → 192.0.2.10:80  = not-ours

2 packets: 2 not-ours
`,
    );
    const nat = directory.write(
      'nat.yaml',
      `services:
  - name: web
    mode: nat
    listen: 192.0.2.10:80
    backends: [10.0.2.11:8080]
    snat: 10.0.0.1
`,
    );
    const args = ['trace', '--pcap', capture, '--write', output, '-f', nat, '--json'];
    const { stdout, stderr } = await runSluice(args);
    assert.equal(stderr, '');
    const [first, second, summary] = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    assert.deepEqual([first.event, first.number, first.reason], ['packet', 1, 'forwarded']);
    assert.deepEqual(first.after, { source: '10.0.0.1:61000', destination: '10.0.2.11:8080' });
    assert.deepEqual(second.after, first.after);
    assert.deepEqual(summary, { event: 'capture', packets: 2, written: 2, reasons: { forwarded: 2 } });
    const written = new CaptureReader().push(readFileSync(output));
    assert.deepEqual(
      written.map(({ seconds, fraction, bytes }) => [seconds, fraction, bytes.length]),
      [
        [7, 9, 40],
        [7, 9, 40],
      ],
    );
  });

  it('says what is wrong with a capture', async () => {
    const none = join(directory.path, 'none.pcap');
    const cases = [
      [['--pcap', none], 2, /none\.pcap cannot be read: there is no such file/],
      [['--pcap', file], 1, /^sluice: this is no pcap capture: .*\n {2}at .*edge\.yaml\n$/],
      [['--pcap', none, '127.0.0.1:1', '127.0.0.1:2'], 2, /a flow and --pcap exclude each other/],
      [['--write', none, '127.0.0.1:1', '127.0.0.1:2'], 2, /--write is for --pcap/],
      [[], 2, /the client is missing/],
    ] as const;
    for (const [args, expected, message] of cases) {
      const { code, stderr } = await ask('trace', ...args);
      assert.equal(code, expected);
      assert.match(stderr, message);
    }
  });

  it('says what is no flow', async () => {
    const { code, stderr } = await ask('trace', '127.0.0.1', '127.0.0.1:9');
    assert.equal(code, 2);
    assert.match(stderr, /^sluice: "127\.0\.0\.1" is not an address: the port is missing — /);
  });

  it('reloads its file, or says why not and goes on', async () => {
    assert.equal(await said('reload'), 'edge-1: nothing changes\n');
    configure(5);
    assert.match(
      await said('reload'),
      /^edge-1: 1 service changed\n\n~ web .*: backends\n.* weight 0 → 5\n/s,
    );
    configure(5, '  - name: dns\n    listen: udp://127.0.0.1:0\n    backends: [127.0.0.1:9]\n');
    const { event, added, changed, removed, unchanged, needRestart } = await document('reload');
    assert.deepEqual(
      [event, added, changed, removed, unchanged, needRestart],
      ['reload', ['dns'], [], [], ['web'], []],
    );
    configure(70_000);
    const { code, stderr } = await ask('reload');
    assert.equal(code, 3);
    assert.match(stderr, /^sluice: weight must be 65535 or less, not 70000\n {2}at .*edge\.yaml:8:\d+\n$/);
    assert.equal((await document('status')).state, 'serving');
  });

  it('has its socket to itself', async () => {
    const { code, stderr } = await ask('proxy', '127.0.0.1:0', first);
    assert.equal(code, 1);
    assert.match(stderr, /^sluice: .*edge\.sock/);
  });

  it('stops in order, and when the command returns nobody is there any more', async () => {
    await using _client = await openClient();
    assert.deepEqual(await document('stop'), { event: 'stopped', name: 'edge-1' });
    const { code, stdout, stderr } = await ask('status');
    assert.deepEqual({ code, stdout }, { code: 5, stdout: '' });
    assert.match(stderr, /^sluice: no instance answers at /);
    assert.equal(await instance.exited, 0);
  });
});
