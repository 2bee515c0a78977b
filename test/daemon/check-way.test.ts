import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backend } from '../../lib/balance/backend.ts';
import { type TunnelMouth, throughTunnel } from '../../lib/daemon/check-way.ts';
import { UnwellError } from '../../lib/health/reason.ts';
import { ask, type Probe, type Target } from '../../lib/health/session/probe.ts';
import { type CheckSpec, defaultCheckTiming, type HostPort, type Protocol } from '../../lib/model/spec.ts';

const backend = new Backend({ name: 'one', host: '10.0.0.1', port: 0, weight: 1 }, 0);
const target = { host: '10.0.0.1', port: 0, backendName: 'one' };
const vips: Readonly<Partial<Record<Protocol, HostPort>>> = {
  tcp: { host: '192.0.2.1', port: 80 },
  udp: { host: '192.0.2.1', port: 53 },
};
const tcp: CheckSpec = { ...defaultCheckTiming, type: 'tcp' };

/** A near end of tunnels that lends ports from 1 up, and says which have not come back. */
class Mouth implements TunnelMouth {
  readonly out = new Set<number>();
  readonly vips: typeof vips;
  readonly lends: boolean;
  #next = 1;

  constructor(served = vips, lends = true) {
    this.vips = served;
    this.lends = lends;
  }

  vip(protocol: Protocol): HostPort | undefined {
    return this.vips[protocol];
  }

  source(of: Backend, vip: HostPort) {
    assert.equal(of, backend);
    assert.equal(vip.host, '192.0.2.1');
    if (!this.lends) return undefined;
    const port = this.#next++;
    this.out.add(port);
    return { address: '10.9.9.9', port, giveBack: () => void this.out.delete(port) };
  }
}

/** How a check by `probe` ends, in words. */
async function said(check: CheckSpec, probe: Probe, mouth: TunnelMouth = new Mouth()): Promise<string> {
  const way = throughTunnel(mouth, check);
  const result = await ask(way.through(probe, backend), target, new AbortController().signal);
  return result.ok ? 'ok' : way.inWords(result);
}

/** Notes whom it is to ask. */
function noting(asked: Target[]): Probe {
  return async (whom) => void asked.push(whom);
}

function failing(code: string): Probe {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

describe('a check through a tunnel', () => {
  it('asks the VIP from a port whose packets go to the backend, and gives the port back', async () => {
    const asked: Target[] = [];
    const mouth = new Mouth();
    const probe: Probe = async (whom, ...rest) => {
      assert.equal(mouth.out.size, 1);
      await noting(asked)(whom, ...rest);
    };
    assert.equal(await said(tcp, probe, mouth), 'ok');
    assert.equal(mouth.out.size, 0);
    const [{ source, ...whom } = target as Target] = asked;
    assert.deepEqual(whom, { host: '192.0.2.1', port: 80, backendName: 'one' });
    assert.deepEqual([source!.address, source!.port], ['10.9.9.9', 1]);
  });

  it('asks a VIP of its own protocol', async () => {
    const asked: Target[] = [];
    await said({ ...defaultCheckTiming, type: 'udp', send: '00' }, noting(asked));
    assert.equal(asked[0]!.port, 53);
  });

  it('lets a command find its own way, and tells it the port of the VIP', async () => {
    const asked: Target[] = [];
    await said({ ...defaultCheckTiming, type: 'exec', command: 'true' }, noting(asked));
    assert.deepEqual(asked, [{ ...target, port: 80 }]);
  });

  for (const [what, probe, words] of [
    ['nothing comes back', failing('ETIMEDOUT'), 'tunnel dead: timed out'],
    ['a router knows no way', failing('EHOSTUNREACH'), 'tunnel dead: host unreachable'],
    ['the backend refuses', failing('ECONNREFUSED'), 'service down: connection refused'],
    ['the answer is wrong', () => Promise.reject(new UnwellError('status 503')), 'service down: status 503'],
    [
      'the answer ends in the middle',
      (async (_target, _signal, heard) => {
        heard();
        throw Object.assign(new Error(), { code: 'ETIMEDOUT' });
      }) satisfies Probe,
      'service down: timed out',
    ],
    ['all ports are taken', failing('EADDRINUSE'), 'no local port left'],
  ] as const) {
    it(`says "${words}" when ${what}`, async () => assert.equal(await said(tcp, probe), words));
  }

  it('blames nobody else where there is nothing to ask from or to ask', async () => {
    const asked: Target[] = [];
    assert.equal(
      await said(tcp, noting(asked), new Mouth(vips, false)),
      'no address or port of this machine to ask from',
    );
    assert.equal(await said(tcp, noting(asked), new Mouth({})), 'there is no VIP to ask');
    assert.deepEqual(asked, []);
  });
});
