import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diffBackends, diffInstances, type ServicePart } from '../../lib/config/diff.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { BackendSpec, InstanceSpec, ServiceSpec } from '../../lib/model/spec.ts';

const instance: InstanceSpec = parseConfig(
  `services:
  - { name: web, listen: [":80", ":81"], backends: [a:1, b:1=2, c:1], check: { type: http, path: / } }
  - { name: dns, listen: udp://:53, backends: [a:53, b:53] }
  - { name: sql, listen: :5432, backends: [a:5432] }
`,
  'f',
);
const [web, dns, sql] = instance.services as [ServiceSpec, ServiceSpec, ServiceSpec];

const withServices = (...services: ServiceSpec[]): InstanceSpec => ({ ...instance, services });

describe('the difference between two configurations', () => {
  it('is nothing when only the order differs', () => {
    const shuffled = fc
      .tuple(
        fc.shuffledSubarray([...instance.services], { minLength: 3 }),
        fc.shuffledSubarray([...web.backends], { minLength: 3 }),
        fc.shuffledSubarray([...web.listen], { minLength: 2 }),
      )
      .map(([services, backends, listen]) =>
        structuredClone(
          withServices(
            ...services.map((service) => (service === web ? { ...web, backends, listen } : service)),
          ),
        ),
      );
    fc.assert(
      fc.property(shuffled, (next) => {
        const diff = diffInstances(instance, next);
        assert.deepEqual({ ...diff, unchanged: [] }, { added: [], removed: [], changed: [], unchanged: [] });
        assert.deepEqual(diff.unchanged, next.services);
      }),
    );
  });

  it('does not depend on the order in which a program made the keys', () => {
    const reversed = Object.fromEntries(Object.entries(web.check).toReversed()) as ServiceSpec['check'];
    assert.deepEqual(diffInstances(withServices(web), withServices({ ...web, check: reversed })).changed, []);
  });

  it('tells services by their names: new ones, lost ones, and one that was renamed is both', () => {
    const { added, removed, changed, unchanged } = diffInstances(
      withServices(web, dns),
      withServices(web, { ...dns, name: 'names' }, sql),
    );
    assert.deepEqual(
      { added, removed, changed, unchanged },
      { added: [{ ...dns, name: 'names' }, sql], removed: [dns], changed: [], unchanged: [web] },
    );
  });

  const changes: Record<ServicePart, Partial<ServiceSpec>> = {
    mode: { mode: 'nat' },
    listen: { listen: web.listen.slice(1) },
    balance: { balance: 'maglev' },
    backends: { backends: web.backends.map((backend) => ({ ...backend, weight: 7 })) },
    check: { check: { type: 'none' } },
    whenAllDown: { whenAllDown: 'drop' },
    proxy: { proxy: { ...web.proxy, retries: 9 } },
    nat: { nat: { ...web.nat, whenDown: 'drop' } },
    dsr: { dsr: { ...web.dsr, encapsulation: 'ipip' } },
  };
  for (const [part, change] of Object.entries(changes)) {
    it(`shows that ${part} has changed, and nothing else`, () => {
      const next = { ...web, ...change };
      assert.deepEqual(diffInstances(withServices(dns, web), withServices(next, dns)), {
        added: [],
        removed: [],
        changed: [[web, next, [part]]],
        unchanged: [dns],
      });
    });
  }

  it('shows every part that has changed, down to one port of one check', () => {
    const next: ServiceSpec = {
      ...web,
      balance: 'source',
      check: { ...web.check, port: 8 } as ServiceSpec['check'],
    };
    assert.deepEqual(diffInstances(withServices(web), withServices(next)).changed, [
      [web, next, ['balance', 'check']],
    ]);
  });
});

describe('the difference between the backends of a service', () => {
  const [a, b, c] = web.backends as [BackendSpec, BackendSpec, BackendSpec];

  it('shows who came, who went and whose weight has changed, whatever the order', () => {
    const heavier = { ...a, weight: 9 };
    const d = { ...a, name: 'd' };
    assert.deepEqual(diffBackends([a, b, c], [d, c, heavier]), {
      added: [d],
      removed: [b],
      reweighted: [[a, heavier]],
    });
  });

  it('takes a backend at another address for another one, though it has the name', () => {
    for (const change of [{ host: 'z' }, { port: 9 }]) {
      const moved = { ...a, ...change };
      assert.deepEqual(diffBackends([a], [moved]), { added: [moved], removed: [a], reweighted: [] });
    }
  });
});
