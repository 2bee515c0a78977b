import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import type { DsrVip } from '../../../lib/datapath/dsr/settings.ts';
import { Tunnels } from '../../../lib/datapath/dsr/tunnels.ts';
import { CommandError, type Run } from '../../../lib/datapath/kernel/command.ts';

const backend = { name: 'one', address: '10.0.2.2', port: 0, weight: 1, up: true };
const vip: DsrVip = {
  service: 'web',
  protocol: 'tcp',
  address: '192.0.2.1',
  port: 80,
  balance: 'maglev',
  whenAllDown: 'reject',
  encapsulation: 'gre',
  outerSource: 'auto',
  backends: [backend],
};

/** A machine that says these of its routes, by destination, and has an MTU of 9000 on `wide`, of 1500 elsewhere. */
function machine(routes: Record<string, object>, asked: string[] = []): Run {
  return async (_program, [, object = '', , ...words]) => {
    const subject = words.at(-1)!;
    asked.push(`${object} ${subject}`);
    if (object === 'link') return JSON.stringify([{ mtu: subject === 'wide' ? 9_000 : 1_500 }]);
    const route = routes[subject];
    if (route === undefined) throw new CommandError('ip', 'Network is unreachable', false);
    return JSON.stringify([route]);
  };
}

const near = { dev: 'eth0', prefsrc: '10.0.2.1' };

describe('tunnels', () => {
  it('begin at the address that this machine has towards the backend, unless they are told where', async () => {
    const tunnels = new Tunnels(machine({ '10.0.2.2': near }));
    await tunnels.learn([vip]);
    assert.deepEqual(tunnels.startOf(vip, backend), {
      source: '10.0.2.1',
      variableBits: 0,
      network: '10.0.2.1',
    });
    for (const [outerSource, source, variableBits, network] of [
      [['fd07::/96', '10.7.0.0/24'], '10.7.0.0', 8, '10.7.0.0/24'],
      [['10.7.0.9'], '10.7.0.9', 0, '10.7.0.9'],
      [['10.7.0.9/32'], '10.7.0.9', 0, '10.7.0.9/32'],
      [['0.0.0.0/0'], '0.0.0.0', 32, '0.0.0.0/0'],
    ] as const) {
      assert.deepEqual(tunnels.startOf({ ...vip, outerSource }, backend), { source, variableBits, network });
    }
  });

  it('vary no more bits than a flow can have', async () => {
    const six = { ...backend, address: 'fd02::2' };
    const tunnels = new Tunnels(machine({ 'fd02::2': { dev: 'eth0', prefsrc: 'fd02::1' } }));
    await tunnels.learn([{ ...vip, backends: [six] }]);
    const start = tunnels.startOf({ ...vip, outerSource: ['fd07::/64'] }, six);
    assert.deepEqual([start.source, start.variableBits], ['fd07::', 32]);
  });

  it('take what the first link takes, or what is known of the way beyond', async () => {
    const far = { ...near, dev: 'wide', gateway: '10.0.2.254', metrics: [{ mtu: 1_400 }] };
    const others = ['10.0.2.3', '10.0.2.4'].map((address) => ({ ...backend, address }));
    const tunnels = new Tunnels(
      machine({ '10.0.2.2': near, '10.0.2.3': { ...near, dev: 'wide' }, '10.0.2.4': far }),
    );
    await tunnels.learn([{ ...vip, backends: [backend, ...others] }]);
    assert.deepEqual(
      ['10.0.2.2', '10.0.2.3', '10.0.2.4'].map((address) => tunnels.wayTo(address).mtuBytes),
      [1_500, 9_000, 1_400],
    );
  });

  it('are asked about once, and again when they are to be, when what was known outlives a lost route', async () => {
    const asked: string[] = [];
    const routes: Record<string, object> = { '10.0.2.2': near };
    const tunnels = new Tunnels(machine(routes, asked));
    await tunnels.learn([vip]);
    await tunnels.learn([vip]);
    assert.deepEqual(asked, ['route 10.0.2.2', 'link eth0']);
    routes['10.0.2.2'] = { dev: 'wide', prefsrc: '10.0.9.1' };
    await tunnels.refresh();
    assert.equal(tunnels.wayTo('10.0.2.2').mtuBytes, 9_000);
    delete routes['10.0.2.2'];
    await tunnels.refresh();
    assert.equal(tunnels.wayTo('10.0.2.2').source, '10.0.9.1');
  });

  it('are forgotten with the last who wants them', async () => {
    const asked: string[] = [];
    const tunnels = new Tunnels(machine({ '10.0.2.2': near }, asked));
    await tunnels.learn([vip]);
    tunnels.keep(new Set());
    await tunnels.refresh();
    assert.deepEqual(asked, ['route 10.0.2.2', 'link eth0']);
  });

  it('lead nowhere without a route', async () => {
    await assert.rejects(new Tunnels(machine({})).learn([vip]), {
      code: 'ERR_SLUICE_NO_ROUTE',
      exitCode: 4,
      message: 'there is no way from here to the backend 10.0.2.2: ip: Network is unreachable',
    });
  });

  it('need none to a backend on the link, and l2 has no other', async () => {
    const l2 = { ...vip, encapsulation: 'l2' } as const;
    await new Tunnels(machine({ '10.0.2.2': near })).learn([l2]);
    await assert.rejects(
      new Tunnels(machine({ '10.0.2.2': { ...near, gateway: '10.0.2.254' } })).learn([l2]),
      {
        code: 'ERR_SLUICE_NOT_ON_LINK',
        exitCode: 3,
      },
    );
  });
});

describe('the address that checks come from', () => {
  it('is that towards the backend, if it is of the family of the VIP and no VIP itself', async () => {
    const tunnels = new Tunnels(machine({ '10.0.2.2': near }));
    await tunnels.learn([vip]);
    assert.equal(tunnels.ownAddress(vip, backend, new Set(['192.0.2.1'])), '10.0.2.1');
    assert.notEqual(tunnels.ownAddress(vip, backend, new Set(['10.0.2.1'])), '10.0.2.1');
  });

  it('is another of the machine for a VIP of the other family, and none where there is none', async () => {
    const tunnels = new Tunnels(machine({ '10.0.2.2': near }));
    await tunnels.learn([vip]);
    const own = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(
        ({ internal, family, address }) => !internal && family === 'IPv6' && !/^fe[89ab]/i.test(address),
      )
      .map(({ address }) => address);
    const six = { ...vip, address: '2001:db8::1' };
    assert.equal(tunnels.ownAddress(six, backend, new Set()), own[0]);
    assert.equal(tunnels.ownAddress(six, backend, new Set(own)), undefined);
  });
});
