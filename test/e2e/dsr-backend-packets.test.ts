/**
 * What `sluice backend` makes of packets that no balancer in good order sends, on a kernel that has no tunnels of its own,
 * in the network of backend-support.ts: made by scapy, sent by the router.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inside } from '../support/inside-netns.ts';
import {
  backend,
  backendNetwork,
  balancer,
  changes,
  countsOf,
  here,
  machineState,
  sendByScapy,
  settled,
  startBackend,
  stateCommand,
  vips,
} from './backend-support.ts';

const from = `${balancer[4]},${balancer[6]}`;

const network = inside(import.meta.url, 'backend', backendNetwork);
if (network !== undefined) {
  const scapy = (code: string): void => sendByScapy(network.host('router'), code);

  before(settled);

  /** What a UDP socket at a VIP hears from what `send` does. */
  async function heard(vip: string, send: () => void, forMs = 500): Promise<string[]> {
    const listen = `import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in "${vip}" else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("${vip}", 5353))
print("ready", flush=True)
while True:
    data, (address, *_) = s.recvfrom(65536)
    print(address, len(data), data[:8].decode(), flush=True)`;
    const child = network!.host('backend').spawn('python3', ['-c', listen], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    while (!said.includes('ready')) await delay(20);
    send();
    await delay(forMs);
    child.kill('SIGKILL');
    await once(child, 'exit');
    return said.split('\n').slice(1, -1);
  }

  describe('sluice backend', () => {
    it('takes nothing from a tunnel that --from does not name, and counts it', async () => {
      await using running = await startBackend(...vips, '--from', from);
      const said = await heard(vips[0]!, () =>
        scapy(`for source in ("10.3.0.1", "10.2.0.3", "10.1.0.2"):
    send(IP(src=source, dst="${backend[4]}")/GRE()/inner/"stranger")
send(IPv6(src="fd03::1", dst="${backend[6]}")/GRE()/inner/"stranger")
send(outer4/GRE()/inner/"welcome!")`),
      );
      assert.deepEqual(said, ['10.1.0.2 8 welcome!']);
      assert.equal((await countsOf(running)).strangers, 4);
    });

    it('takes nothing in a tunnel of another kind', async () => {
      await using running = await startBackend(...vips, '--from', from);
      const said = await heard(vips[0]!, () => scapy('send(outer4/inner/"unasked!")'));
      assert.deepEqual(said, []);
      const { own } = await countsOf(running);
      assert.equal(own?.delivered, 0);
    });

    it('delivers to its VIPs alone, and counts what is for others', async () => {
      await using running = await startBackend(vips[0]!, '--from', from);
      here('ip address add 192.0.2.99/32 dev lo');
      const said = await heard('192.0.2.99', () =>
        scapy('inner.dst = "192.0.2.99"\nsend(outer4/GRE()/inner/"unasked!")'),
      );
      here('ip address delete 192.0.2.99/32 dev lo');
      assert.deepEqual(said, []);
      assert.deepEqual((await countsOf(running)).own, {
        delivered: 0,
        bytes: 0,
        dropped: { 'not-for-vip': 1 },
      });
    });

    it('takes a tunnel packet that was cut up on its way', async () => {
      await using _ = await startBackend(...vips, '--from', from);
      const said = await heard(vips[0]!, () =>
        scapy(`whole = outer4/GRE()/inner/("whole..." + "x" * 1400)
for piece in fragment(whole, fragsize=600): send(piece)
for piece in fragment6(outer6/IPv6ExtHdrFragment(id=7)/GRE()/inner/("whole..." + "x" * 1400), 700): send(piece)`),
      );
      assert.deepEqual(said, ['10.1.0.2 1408 whole...', '10.1.0.2 1408 whole...']);
    });

    it('takes packets with options and fragments inside', async () => {
      await using running = await startBackend(...vips, '--from', from);
      const said = await heard(vips[0]!, () =>
        scapy(`send(outer4/GRE()/IP(src="10.1.0.2", dst=inner.dst, options=[IPOption_NOP()] * 4)/inner[UDP]/"optional")
for piece in fragment(inner/("in parts" + "x" * 1400), fragsize=600): send(outer4/GRE()/piece)`),
      );
      assert.deepEqual(said, ['10.1.0.2 8 optional', '10.1.0.2 1408 in parts']);
      const said6 = await heard(vips[2]!, () =>
        scapy(`six = IPv6(src="fd01::2", dst="${vips[2]}")
datagram = UDP(sport=7000, dport=5353)
send(outer6/GRE()/six/IPv6ExtHdrHopByHop(options=PadN(optdata=bytes(4)))/datagram/"optional")
for piece in fragment6(six/IPv6ExtHdrFragment(id=8)/datagram/("in parts" + "x" * 1400), 700): send(outer6/GRE()/piece)
send(outer6/IPv6ExtHdrDestOpt(options=PadN(optdata=bytes(4)))/GRE()/six/datagram/"outside!")`),
      );
      assert.deepEqual(said6, ['fd01::2 8 optional', 'fd01::2 1408 in parts', 'fd01::2 8 outside!']);
      assert.deepEqual((await countsOf(running)).own?.dropped, {});
    });

    it('has clients come in whose way back is not by the balancer, and keeps the filter loose', async () => {
      const filters = '/proc/sys/net/ipv4/conf/router/rp_filter';
      here(`echo 1 >${filters}; ip link add other type veth peer name rehto; ip link set other up`);
      here('ip link set rehto up; ip address add 10.9.0.1/24 dev other; ip route add 10.66.0.0/24 dev other');
      await settled();
      const untouched = machineState(here(stateCommand));
      try {
        await using running = await startBackend(...vips, '--from', from);
        const far = () => scapy('inner.src = "10.66.0.1"\nsend(outer4/GRE()/inner/"far away")');
        assert.deepEqual(await heard(vips[0]!, far), ['10.66.0.1 8 far away']);
        assert.equal(here(`cat ${filters}`).trim(), '2');
        running.kill('SIGINT');
        await running.exited;
        assert.deepEqual(changes(untouched, machineState(here(stateCommand))), []);
      } finally {
        here(`echo 0 >${filters}; ip link delete other`);
      }
    });
  });
}
