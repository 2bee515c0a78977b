/**
 * `sluice trace` of mode dsr held against what passes the balancer's link, in the network of dsr-support.ts: 1,000 random
 * flows of a real sender, and what came from clients, run through, is what left in tunnels. Each family outside with each
 * inside.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readConfigFile } from '../../lib/cli/config-file.ts';
import { ControlClient } from '../../lib/control/client.ts';
import { openOffline } from '../../lib/daemon/offline.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import { startCapture } from '../support/capture.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import {
  addressOf as backendAddress,
  backends,
  combinations,
  dsrNetwork,
  edgeConfiguration,
  forbidOffload,
  type Peers,
  ports,
  startEdge,
  startPeers,
  untilWell,
  vips,
} from './dsr-support.ts';
import {
  addressOf,
  type Captured,
  type OpenFlows,
  openFlows,
  packetsIn,
  prepareClient,
} from './trace-support.ts';

const flowCount = 1_000;
/** For a busy machine. */
const patienceMs = 280_000;
const skip = missing('tshark', 'tcpdump', 'ethtool');

/** From a client; checks come from the balancer. */
const isRequest = ({ source, destination }: Captured): boolean =>
  vips.includes(addressOf(destination) as never) && /^(10\.1\.0|\[fd01:)/.test(source);

const network = inside(import.meta.url, 'balancer', dsrNetwork, patienceMs);
if (network !== undefined) {
  const client = network.host('client');
  const directory = scratch();
  before(() => {
    forbidOffload(network);
    prepareClient(client, 'router');
  });
  after(() => directory.remove());

  for (const [encapsulation, workers] of [
    ['gre', 2],
    ['ipip', 1],
  ] as const) {
    describe(`a trace with ${encapsulation}, ${workers} workers`, { skip }, () => {
      const file = join(directory.path, `${encapsulation}.pcap`);
      const configuration = `hash-seed: "0123456789abcdef0123456789abcdef"\n${edgeConfiguration({ encapsulation, workers })}`;
      const traced: TraceView[] = [];
      let peers: Peers;
      let edge: Sluice;
      let open: OpenFlows;

      before(async () => {
        peers = await startPeers(network, backends, encapsulation);
        edge = await startEdge(configuration);
        const capture = await startCapture(network.host('balancer'), 'router', file);
        open = await openFlows(client, 7, flowCount, { tcp: ports.echo, udp: ports.udp }, vips);
        await capture.stop();
        const asked = new ControlClient(edge.ready.control);
        for (const { words } of open.flows) traced.push(await asked.trace(parseFlowTuple(words)));
        await asked.close();
      });
      after(async () => {
        open.end();
        await edge.stop();
        await peers.stop();
      });

      it('names the tunnel that each flow goes through', () => {
        const captured = packetsIn(file).filter((packet) => packet.isTunnelled && isRequest(packet));
        const sent = new Map(
          captured.map((packet) => [`${packet.source} ${packet.destination}`, packet.bytes]),
        );
        open.flows.forEach(({ words }, index) => {
          const { flow, backend, rewriting, mode, rule, verdict } = traced[index]!;
          assert.deepEqual([mode, verdict], ['dsr', 'rewritten']);
          assert.equal(flow!.backend, backend);
          assert.equal(rule!.worker, flow!.worker);
          const bytes = sent.get(`${words[1]} ${words[2]}`)!;
          const { kind, destination } = rewriting!.encapsulation!;
          const version = destination.includes(':') ? 6 : 4;
          const outer = combinations.find(({ vip }) => vip === addressOf(words[2]!))!.outer;
          assert.deepEqual([kind, version, destination], [encapsulation, outer, backend]);
          assert.ok(backends.some((name) => backendAddress[name][outer] === backend));
          // Addresses, and what routers spread by.
          const [from, to] = version === 4 ? [24, 40] : [16, 80];
          assert.equal(rewriting!.after!.bytes.slice(from, to), bytes.slice(from, to));
        });
      });

      it('is of as many flows as there were, of every kind', () => {
        assert.equal(open.flows.length, flowCount);
        const kinds = new Set(open.flows.map(({ words }) => `${words[0]} ${addressOf(words[2]!)}`));
        assert.equal(kinds.size, 2 * vips.length);
        assert.equal(new Set(traced.map(({ backend }) => backend)).size, 2 * backends.length);
        assert.equal(new Set(traced.map(({ rule }) => rule!.worker)).size, workers);
      });

      it('is the same offline, but for what only the instance knows', async () => {
        const offline = await openOffline(await readConfigFile(directory.write('edge.yaml', configuration)));
        const of = ({ service, backend, placement, rewriting }: TraceView) => {
          const { kind, destination } = rewriting!.encapsulation!;
          return { service, backend, placement, kind, destination, before: rewriting!.before.source };
        };
        for (const [index, { words }] of open.flows.entries()) {
          assert.deepEqual(of(await offline.trace(parseFlowTuple(words))), of(traced[index]!));
        }
      });

      it('makes of what came in the very bytes that went out', async () => {
        const output = join(directory.path, `${encapsulation}-through.pcap`);
        const { control } = edge.ready;
        const { code, stderr } = await runSluice([
          'trace',
          '--pcap',
          file,
          '--write',
          output,
          '--control',
          control,
        ]);
        assert.deepEqual([code, stderr], [0, '']);
        const came = packetsIn(file).filter((packet) => !packet.isTunnelled && isRequest(packet));
        const left = packetsIn(file).filter((packet) => packet.isTunnelled && isRequest(packet));
        const through = packetsIn(output).filter((packet) => packet.isTunnelled && isRequest(packet));
        assert.ok(came.length > 2 * flowCount);
        assert.equal(left.length, came.length);
        // What has gone out in tunnels passes by, and is there once more.
        const twice = [...left, ...left].map(({ bytes }) => bytes);
        assert.deepEqual(through.map(({ bytes }) => bytes).toSorted(), twice.toSorted());
      });

      it('sees the half of a flow that there is to see', () => {
        for (const { flow } of traced) {
          assert.deepEqual([flow!.packetsOut, flow!.bytesOut], [null, null]);
          assert.ok(flow!.packetsIn! >= 2);
        }
      });
    });
  }

  describe('a trace without a tunnel', { skip }, () => {
    it('names the mark by which the packet finds its backend', async () => {
      const peers = await startPeers(network, ['three'], 'l2');
      const args = ['dsr', `${vips[0]}:8080`, '10.5.0.2', '--encap', 'l2', '--check', 'http:/'];
      const edge = await sluice(args);
      try {
        const { control } = edge.ready;
        await untilWell(control);
        const { stdout } = await runSluice([
          'trace',
          '10.1.0.2:4000',
          `${vips[0]}:8080`,
          '--control',
          control,
          '--json',
        ]);
        const { verdict, reason, backend, rewriting } = JSON.parse(stdout);
        assert.deepEqual([verdict, reason, backend], ['mark', 'marked', '10.5.0.2']);
        assert.deepEqual(rewriting.after, rewriting.before);
        const mark = rewriting.mark.toString(16);
        assert.match(network!.host('balancer').run('ip rule'), new RegExp(`fwmark 0x${mark}\\b`));
      } finally {
        await edge.stop();
        await peers.stop();
      }
    });
  });
}
