/**
 * `sluice trace` held against what captures show: 1,000 random flows of a real sender through `sluice up`, in the
 * network of nat-support.ts, TCP and UDP, IPv4 and IPv6.
 *
 *   trace-flows.py ──▶ client's link ──▶ sluice ──▶ backends' links
 *                       tcpdump: before               tcpdump: after
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readConfigFile } from '../../lib/cli/config-file.ts';
import { ControlClient } from '../../lib/control/client.ts';
import { openOffline } from '../../lib/daemon/offline.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import { linkLayer } from '../../lib/trace/link-layer.ts';
import { describePacket } from '../../lib/trace/packet-text.ts';
import { CaptureReader } from '../../lib/trace/pcap.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { backends, families, natNetwork, startOrigin } from './nat-support.ts';

const flowCount = 1_000;
const fixture = fileURLToPath(new URL('./fixtures/trace-flows.py', import.meta.url));

/** A flow that was opened, and how its packets look at the backend. */
interface Flow {
  readonly words: readonly string[];
  readonly payload: string;
}

interface Seen {
  readonly backend: string;
  /** `192.0.2.1:80` */
  readonly source: string;
  readonly destination: string;
}

/** Every packet of a capture that `wanted` wants, in hexadecimal, without what a router changes. */
function packetsIn(file: string, wanted: (ends: Seen) => boolean): string[] {
  const reader = new CaptureReader();
  const packets: string[] = [];
  for (const { bytes } of reader.push(readFileSync(file))) {
    const packet = bytes.slice(linkLayer(reader.format!.linkType).packetAt(bytes));
    const four = packet[0]! >> 4 === 4;
    const { source, destination } = describePacket(packet);
    if (!wanted({ backend: '', source, destination })) continue;
    // Time to live, and the checksum over it; hop limit.
    packet.fill(0, four ? 8 : 7, four ? 9 : 8);
    if (four) packet.fill(0, 10, 12);
    packets.push(Buffer.from(packet).toString('hex'));
  }
  return packets;
}

const backendAddresses: readonly string[] = families.flatMap(({ backend }) => Object.values(backend));
const vipAddresses: readonly string[] = families.map(({ vip }) => vip);
const addressOf = (end: string): string => end.replace(/:\d+$/, '').replace(/[[\]]/g, '');
const isBackend = (end: string): boolean => backendAddresses.includes(addressOf(end));
/** Health checks have other ports. */
const isRewritten = ({ source, destination }: Seen): boolean =>
  isBackend(destination) && Number(/\d+$/.exec(source)![0]) >= 61_000;
const isVip = (end: string): boolean => vipAddresses.includes(addressOf(end));

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const directory = scratch();
  const client = network.host('client');
  const [four, six] = families;
  const control = join(directory.path, 'edge.sock');
  const configuration = (workers: number): string =>
    directory.write(
      `edge-${workers}.yaml`,
      `name: edge
hash-seed: "0123456789abcdef0123456789abcdef"
nat: { workers: ${workers} }
services:
${[four, six]
  .map(
    ({ version, vip, backend }) => `  - name: echo${version}
    mode: nat
    listen: "tcp://${version === 4 ? vip : `[${vip}]`}:9003"
    backends: ${list(backend, 9003)}
  - name: who${version}
    mode: nat
    listen: "udp://${version === 4 ? vip : `[${vip}]`}:5300"
    backends: ${list(backend, 5300)}
`,
  )
  .join('')}`,
    );

  function list(backend: { readonly one: string; readonly two: string }, port: number): string {
    const host = (address: string): string => (address.includes(':') ? `[${address}]` : address);
    return `["${host(backend.one)}:${port}", "${host(backend.two)}:${port}=3"]`;
  }

  const children: ChildProcess[] = [];

  /** Captures what comes to a host from the balancer, until it is told to stop; then says where the file is. */
  async function capture(host: string): Promise<() => Promise<string>> {
    const file = join(directory.path, `${host}.pcap`);
    const child = network!
      .host(host)
      .spawn(
        'tcpdump',
        ['-i', 'balancer', '-U', '-B', '16384', '--immediate-mode', '-w', file, 'tcp or udp'],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
    children.push(child);
    await once(child.stderr!, 'data');
    return async () => {
      await delay(500);
      child.kill('SIGINT');
      await once(child, 'exit');
      return file;
    };
  }

  /** By payload, the first packet from the balancer that carries it. */
  function see(file: string, backend: string): Map<string, Seen> {
    const fields = [
      'ip.src',
      'ipv6.src',
      'ip.dst',
      'ipv6.dst',
      'tcp.srcport',
      'udp.srcport',
      'tcp.dstport',
      'udp.dstport',
      'data.data',
    ];
    const lines = network!
      .host('balancer')
      .run(
        `tshark -r ${file} -o tcp.desegment_tcp_streams:FALSE -d tcp.port==9003,data -d udp.port==5300,data -T fields ${fields.map((field) => `-e ${field}`).join(' ')}`,
      );
    const seen = new Map<string, Seen>();
    for (const line of lines.split('\n')) {
      const [src4, src6, dst4, dst6, tcpFrom, udpFrom, tcpTo, udpTo, data = ''] = line.split('\t');
      const payload = Buffer.from(data, 'hex').toString();
      if (!payload.startsWith('flow-') || seen.has(payload)) continue;
      const end = (address: string, port: string): string =>
        `${address.includes(':') ? `[${address}]` : address}:${port}`;
      seen.set(payload, {
        backend,
        source: end(src4 || src6!, tcpFrom || udpFrom!),
        destination: end(dst4 || dst6!, tcpTo || udpTo!),
      });
    }
    return seen;
  }

  /** Opens the flows and holds them. */
  async function openFlows(seed: number): Promise<Flow[]> {
    const args = [fixture, String(seed), String(flowCount), four.vip, six.vip];
    const child = client.spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const flows: Flow[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      if (line === 'open') break;
      const words = line.split(' ');
      flows.push({ words: words.slice(0, 3), payload: words[3]! });
    }
    return flows;
  }

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
    // Checksums are complete where they are captured, as on a wire.
    for (const name of ['client', ...backends]) network.host(name).run('ethtool -K balancer tx off gro off');
    for (let host = 3; host < 20; host++) {
      client.run(
        `ip address add 10.1.0.${host}/24 dev balancer; ip address add fd01::${host}/64 dev balancer nodad`,
      );
    }
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    directory.remove();
  });

  for (const workers of [1, 3]) {
    describe(`a trace of live flows, ${workers} workers`, {
      skip: missing('tshark', 'tcpdump', 'ethtool'),
    }, () => {
      let instance: Sluice;
      let flows: Flow[];
      const seen = new Map<string, Seen>();
      const files = new Map<string, string>();
      const traced: TraceView[] = [];

      before(async () => {
        const hosts = ['client', ...backends];
        const captures = await Promise.all(hosts.map(async (name) => [name, await capture(name)] as const));
        instance = await sluice(['up', '-f', configuration(workers), '--control', control]);
        flows = await openFlows(workers);
        for (const [name, end] of captures) {
          files.set(name, await end());
        }
        for (const name of backends) {
          for (const [payload, packet] of see(files.get(name)!, name)) seen.set(payload, packet);
        }
        const asked = new ControlClient(control);
        for (const { words } of flows) traced.push(await asked.trace(parseFlowTuple(words)));
        await asked.close();
      });
      after(() => instance.stop());

      it('is of as many flows as there were, of every kind', () => {
        assert.equal(flows.length, flowCount);
        assert.equal(seen.size, flowCount);
        const kinds = new Set(flows.map(({ payload }) => payload.slice('flow-0000-'.length)));
        assert.deepEqual(kinds, new Set(['tcp-4', 'tcp-6', 'udp-4', 'udp-6']));
        assert.deepEqual(new Set(Array.from(seen.values(), ({ backend }) => backend)), new Set(backends));
      });

      it('names the addresses and ports that the backends see', () => {
        flows.forEach(({ words, payload }, index) => {
          const { rewriting, flow, verdict, reason, backend } = traced[index]!;
          const { source, destination } = seen.get(payload)!;
          assert.deepEqual(
            {
              before: rewriting!.before.source,
              source: rewriting!.after!.source,
              destination: rewriting!.after!.destination,
            },
            { before: words[1], source, destination },
          );
          assert.equal(flow!.source, source);
          assert.equal(flow!.backend, destination);
          assert.equal(backend, destination);
          assert.equal(rewriting!.examplePort, false);
          assert.deepEqual([verdict, reason], ['rewritten', 'forwarded']);
        });
      });

      it('knows each flow as it is', () => {
        for (const { flow, protocol } of traced) {
          assert.equal(flow!.state, protocol === 'tcp' ? 'established' : 'udp-stream');
          assert.equal(flow!.packetsIn, protocol === 'tcp' ? flow!.packetsIn : 2);
          assert.equal(flow!.fromClient, true);
        }
      });

      it('places each by the slot that it was placed by', () => {
        for (const { placement, backend } of traced) {
          assert.equal(placement!.backend, backend);
          assert.equal(placement!.settled, true);
        }
      });

      it('works out the worker to which the rules bring it, as the kernel does', () => {
        for (const { rule, flow } of traced) {
          assert.equal(rule!.worker, flow!.worker);
          assert.equal(rule!.workers, workers);
        }
        assert.equal(new Set(traced.map(({ rule }) => rule!.queue)).size, workers);
      });

      it('leaves the packet path as it is', async () => {
        const asked = new ControlClient(control);
        const status = await asked.status();
        const opened = status.services.reduce((sum, { connections }) => sum + connections, 0);
        assert.equal(opened, flowCount);
        await asked.close();
      });

      it('is the same offline, but for what only the instance knows', async () => {
        const offline = await openOffline(await readConfigFile(configuration(workers)));
        for (const [index, { words }] of flows.entries()) {
          const view = await offline.trace(parseFlowTuple(words));
          const live = traced[index]!;
          const of = ({ service, backend, placement, rewriting }: TraceView) => ({
            service,
            backend,
            placement,
            before: rewriting!.before.source,
            destination: rewriting!.after!.destination,
            // With the port that it has.
            source: rewriting!.after!.source.replace(/:\d+$/, ''),
          });
          assert.deepEqual(of(view), of(live));
        }
      });

      /** Runs a capture through the instance, and says what is sent on. */
      const runThrough = async (host: string): Promise<string> => {
        const output = join(directory.path, `${host}-through.pcap`);
        const args = ['trace', '--pcap', files.get(host)!, '--write', output, '--control', control];
        const { stderr, code } = await runSluice(args);
        assert.deepEqual([stderr, code], ['', 0]);
        return output;
      };

      it('makes of the capture at the client the very bytes that backends have received', async () => {
        const through = packetsIn(await runThrough('client'), isRewritten);
        const received = backends.flatMap((name) => packetsIn(files.get(name)!, isRewritten));
        assert.ok(received.length > 3 * flowCount);
        assert.deepEqual(through.toSorted(), received.toSorted());
      });

      it('makes of the captures at the backends the very bytes that the client has received', async () => {
        const through = [];
        for (const name of backends) {
          through.push(...packetsIn(await runThrough(name), ({ source }) => isVip(source)));
        }
        const received = packetsIn(files.get('client')!, ({ source }) => isVip(source));
        assert.ok(received.length > 2 * flowCount);
        assert.deepEqual(through.toSorted(), received.toSorted());
      });

      it('writes captures that others read, with right checksums', async () => {
        const file = await runThrough('client');
        const wrong = ['ip', 'tcp', 'udp'].map((layer) => `${layer}.checksum.status == 0`).join(' || ');
        const checks = ['ip.check_checksum', 'tcp.check_checksum', 'udp.check_checksum'];
        const tshark = `tshark -r ${file} ${checks.map((check) => `-o ${check}:TRUE`).join(' ')}`;
        const balancer = network!.host('balancer');
        assert.equal(balancer.run(`${tshark} -Y '${wrong}'`), '');
        const all = balancer.run(`${tshark} -T fields -e frame.number`).trim().split('\n').length;
        assert.ok(all > 5 * flowCount);
      });

      it('is what the command prints', async () => {
        const { words } = flows[0]!;
        const { stdout, stderr } = await runSluice(['trace', ...words, '--control', control, '--json']);
        assert.equal(stderr, '');
        const { event, ...view } = JSON.parse(stdout);
        assert.equal(event, 'trace');
        const { rewriting, placement, rule, backend } = traced[0]!;
        assert.deepEqual(
          [view.rewriting, view.placement, view.rule, view.backend],
          [rewriting, placement, rule, backend],
        );
        const text = await runSluice(['trace', ...words, '--control', control]);
        for (const word of [rewriting!.after!.source, backend!, 'established', rule!.selects]) {
          assert.ok(
            text.stdout.includes(word === 'established' && words[0] === 'udp' ? 'udp-stream' : word),
            word,
          );
        }
      });
    });
  }
}
