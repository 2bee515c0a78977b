/**
 * Mode dsr without a tunnel, to `three` of dsr-support.ts, which is on a link of the balancer: only the link address
 * changes. The VIP is routed to the balancer, or an address of its own.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { balancerState, besideThree, dsrNetwork, type Peers, startPeers, url } from './dsr-support.ts';
import { sha256OfPattern } from './nat-pattern.ts';
import { until } from './support.ts';

const routedVip = '192.0.2.10';
const mebibytes = 64 * 1_048_576;

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const here = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  let peers: Peers;
  let instance: Sluice | undefined;

  before(async () => {
    peers = await startPeers(network, ['three'], 'l2');
  });
  afterEach(async () => {
    await instance?.stop();
    instance = undefined;
  });
  after(() => peers.stop());

  const start = async (vip: string, backend: string, ...more: string[]): Promise<void> => {
    const at = `${vip.includes(':') ? `[${vip}]` : vip}:8080`;
    instance = await sluice(['dsr', at, backend, '--encap', 'l2', '--check', 'http:/', ...more]);
    const { control } = instance.ready;
    await until('the backend has answered a check', async () =>
      (await runSluice(['backends', '--control', control])).stdout.includes(' ok'),
    );
  };

  for (const [vip, backend] of [
    ['192.0.2.10', '10.5.0.2'],
    ['192.0.2.10', '[fd05::2]'],
    ['2001:db8::10', '[fd05::2]'],
  ] as const) {
    describe(`${vip} by ${backend}`, () => {
      it('is served where the VIP is routed to the balancer', async () => {
        await start(vip, backend);
        assert.equal(client.run(`curl -gsS --max-time 10 ${url(vip)}/`), 'three\n');
        const sum = client.run(`curl -gsS --max-time 60 ${url(vip)}/bytes/${mebibytes} | sha256sum`);
        assert.equal(sum.split(' ')[0], sha256OfPattern(mebibytes));
      });

      it('is served where the VIP is an address of the balancer', async () => {
        const prefix = vip.includes(':') ? 128 : 32;
        here(`ip address add ${vip}/${prefix} dev lo ${prefix === 128 ? 'nodad' : ''}`);
        try {
          await start(vip, backend);
          assert.equal(client.run(`curl -gsS --max-time 10 ${url(vip)}/`), 'three\n');
          // A client here must not have the VIP for its own address too, or the backend would answer itself.
          const own = besideThree[vip.includes(':') ? 6 : 4];
          assert.equal(here(`curl -gsS --interface ${own} --max-time 10 ${url(vip)}/`), 'three\n');
        } finally {
          await instance!.stop();
          here(`ip address delete ${vip}/${prefix} dev lo`);
        }
      });
    });
  }

  it('carries uploads in packets of full size, as there is no header to add', async () => {
    await start(routedVip, '10.5.0.2');
    const sum = client.run(
      `head -c ${mebibytes} /dev/zero | curl -gsS --max-time 60 -T - -H Expect: ${url(routedVip)}/put`,
    );
    assert.equal(sum, here(`head -c ${mebibytes} /dev/zero | sha256sum`).split(' ')[0]);
    assert.doesNotMatch(client.run(`ip route get ${routedVip}`), / mtu /);
  });

  it('is refused where the backend is behind a router', async () => {
    const { code, stderr } = await runSluice(['dsr', '192.0.2.10:80', '10.3.0.2', '--encap', 'l2']);
    assert.equal(code, 3);
    assert.match(stderr, /10\.3\.0\.2 is behind a router, where encap l2 does not reach — use encap gre/);
  });

  it('leaves nothing behind', async () => {
    const before = balancerState(here);
    await start(routedVip, '10.5.0.2');
    assert.notEqual(balancerState(here), before);
    await instance!.stop();
    assert.equal(balancerState(here), before);
  });
}
