import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planLines } from '../../lib/cli/plan-text.ts';
import { plainStyle } from '../../lib/cli/style.ts';
import type { FlowsPlan, PlanView, ServicePlan } from '../../lib/model/plan.ts';

const noFlows: FlowsPlan = { live: 0, stay: 0, move: 0, cut: 0, examples: [] };

const nothing: PlanView = {
  name: 'edge-1',
  added: [],
  changed: [],
  removed: [],
  unchanged: ['web'],
  needRestart: [],
  services: [],
  flows: noFlows,
  drainMs: 10_000,
  refused: null,
};

const web: ServicePlan = {
  name: 'web',
  change: 'changed',
  mode: 'nat',
  listen: 'tcp://192.0.2.10:80',
  parts: ['backends'],
  backends: {
    added: ['10.0.2.13:80'],
    removed: ['10.0.2.11:80'],
    changed: [{ name: '10.0.2.12:80', weight: { from: 1, to: 2 } }],
  },
  slots: { slots: 65_537, moved: 22_345, unavoidable: 21_846 },
  flows: { live: 1_204, stay: 799, move: 3, cut: 402, examples: [] },
};

const lines = (change: Partial<PlanView>): string =>
  planLines({ ...nothing, ...change }, plainStyle).join('\n');

describe('a plan in words', () => {
  it('is one line when nothing changes', () => {
    assert.equal(lines({}), 'edge-1: nothing changes');
  });

  it('shows each service, its slots and its flows', () => {
    const api: ServicePlan = {
      ...web,
      name: 'api',
      change: 'added',
      parts: [],
      backends: { added: ['10.0.2.31:80'], removed: [], changed: [] },
      slots: null,
      flows: noFlows,
    };
    const dns: ServicePlan = {
      ...api,
      name: 'dns',
      change: 'removed',
      backends: { ...api.backends, added: [] },
    };
    const examples = [
      {
        protocol: 'tcp',
        client: '198.51.100.7:40000',
        vip: '192.0.2.10:80',
        backend: '10.0.2.11:80',
        fate: 'cut',
      },
      { protocol: 'udp', client: '198.51.100.7:4000', vip: '192.0.2.10:53', backend: null, fate: 'move' },
    ] as const;
    const text = lines({ services: [api, web, dns], flows: { ...web.flows, examples } });
    assert.equal(
      text,
      `edge-1: 1 service added, 1 changed, 1 removed, 1 unchanged
405 of 1,204 live flows go

+ api  nat, tcp://192.0.2.10:80
    + 10.0.2.31:80

~ web  nat, tcp://192.0.2.10:80: backends
    + 10.0.2.13:80
    - 10.0.2.11:80
    ~ 10.0.2.12:80  weight 1 → 2
    slots  34.1% move (22,345 of 65,537), 33.3% have to
    flows  1,204 live: 799 stay, 3 (0%) move, 402 (33%) are cut within 10s

- dns  nat, tcp://192.0.2.10:80
    flows  none live

do not stay, for example:
  tcp 198.51.100.7:40000 → 192.0.2.10:80 on 10.0.2.11:80: cut
  udp 198.51.100.7:4000 → 192.0.2.10:53: moves`,
    );
    assert.ok(text.split('\n').every((line) => line.length <= 80));
  });

  it('tells when everybody stays', () => {
    const flows = { ...noFlows, live: 5, stay: 5 };
    const slots = { slots: 65_537, moved: 0, unavoidable: 0 };
    const text = lines({ services: [{ ...web, flows, slots }], flows });
    assert.match(text, /^edge-1: 1 service changed, 1 unchanged\n\n/);
    assert.match(text, /slots {2}none of 65,537 moves\n {4}flows {2}5 live, all stay$/);
  });

  it('tells what waits for a restart, and why a reload would be refused', () => {
    const refused = { message: 'workers cannot change meanwhile', remedy: 'take the change back' };
    assert.equal(
      lines({ needRestart: ['metrics', 'hashSeed'], refused }),
      `edge-1: nothing changes

change only after a restart:
  metrics
  hashSeed

a reload would be refused: workers cannot change meanwhile
  take the change back`,
    );
  });
});
