/**
 * `sluice trace` held against what captures show: 1,000 random flows of a real sender through `sluice up`, in the
 * network of nat-support.ts, TCP and UDP, IPv4 and IPv6.
 *
 *   trace-flows.py ──▶ client's link ──▶ sluice ──▶ backends' links
 *                       tcpdump: before               tcpdump: after
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readConfigFile } from '../../lib/cli/config-file.ts';
import { ControlClient } from '../../lib/control/client.ts';
import { openOffline } from '../../lib/daemon/offline.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import { type Capture, startCapture, wrongChecksum } from '../support/capture.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { backends, families, natNetwork, startOrigin } from './nat-support.ts';
import {
  addressOf,
  type Captured,
  type Flow,
  type OpenFlows,
  openFlows,
  packetsIn,
  prepareClient,
} from './trace-support.ts';

const flowCount = 1_000;
/** For a busy machine. */
const patienceMs = 280_000;

/** How the packets of a flow look at its backend. */
interface Seen {
  readonly backend: string;
  /** `192.0.2.1:80` */
  readonly source: string;
  readonly destination: string;
}

const backendAddresses: readonly string[] = families.flatMap(({ backend }) => Object.values(backend));
const vipAddresses: readonly string[] = families.map(({ vip }) => vip);

/** Rewritten on its way to a backend; health checks have other ports. */
const isRequest = ({ source, destination }: Captured): boolean =>
  backendAddresses.includes(addressOf(destination)) && Number(/\d+$/.exec(source)![0]) >= 61_000;
const isAnswer = ({ source }: Captured): boolean => vipAddresses.includes(addressOf(source));

const bytesOf = (file: string, wanted: (packet: Captured) => boolean): string[] =>
  packetsIn(file)
    .filter(wanted)
    .map(({ bytes }) => bytes);

const network = inside(import.meta.url, 'balancer', natNetwork, patienceMs);
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

  /** Flows that were opened, over all services. */
  async function opened(asked: ControlClient): Promise<number> {
    const { services } = await asked.status();
    return services.reduce((sum, { connections }) => sum + connections, 0);
  }

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
    prepareClient(client, 'balancer');
    // Checksums are complete where they are captured, as on a wire.
    for (const name of backends) network.host(name).run('ethtool -K balancer tx off gro off');
  });
  after(() => directory.remove());

  for (const workers of [1, 3]) {
    describe(`a trace of live flows, ${workers} workers`, {
      skip: missing('tshark', 'tcpdump', 'ethtool'),
    }, () => {
      let instance: Sluice;
      let open: OpenFlows;
      let flows: readonly Flow[];
      const seen = new Map<string, Seen>();
      const files = new Map<string, string>();
      const traced: TraceView[] = [];
      let openedBefore = 0;

      before(async () => {
        const captures: Capture[] = [];
        for (const name of ['client', ...backends]) {
          const file = join(directory.path, `${name}.pcap`);
          captures.push(await startCapture(network.host(name), 'balancer', file, 'tcp or udp'));
          files.set(name, file);
        }
        instance = await sluice(['up', '-f', configuration(workers), '--control', control]);
        open = await openFlows(client, workers, flowCount, { tcp: 9003, udp: 5300 }, vipAddresses);
        flows = open.flows;
        for (const capture of captures) await capture.stop();
        for (const name of backends) {
          for (const [payload, packet] of see(files.get(name)!, name)) seen.set(payload, packet);
        }
        const asked = new ControlClient(control);
        openedBefore = await opened(asked);
        for (const { words } of flows) traced.push(await asked.trace(parseFlowTuple(words)));
        await asked.close();
      });
      after(async () => {
        open.end();
        await instance.stop();
      });

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
        assert.equal(await opened(asked), openedBefore);
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
        const through = bytesOf(await runThrough('client'), isRequest);
        const received = backends.flatMap((name) => bytesOf(files.get(name)!, isRequest));
        assert.ok(received.length > 3 * flowCount);
        assert.deepEqual(through.toSorted(), received.toSorted());
      });

      it('makes of the captures at the backends the very bytes that the client has received', async () => {
        const through: string[] = [];
        for (const name of backends) through.push(...bytesOf(await runThrough(name), isAnswer));
        const received = bytesOf(files.get('client')!, isAnswer);
        assert.ok(received.length > 2 * flowCount);
        assert.deepEqual(through.toSorted(), received.toSorted());
      });

      it('writes captures that others read, with right checksums', async () => {
        const file = await runThrough('client');
        const checks = ['ip.check_checksum', 'tcp.check_checksum', 'udp.check_checksum'];
        const tshark = `tshark -r ${file} ${checks.map((check) => `-o ${check}:TRUE`).join(' ')}`;
        const balancer = network!.host('balancer');
        assert.equal(balancer.run(`${tshark} -Y '${wrongChecksum}'`), '');
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
