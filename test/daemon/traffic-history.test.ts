import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrafficHistory } from '../../lib/daemon/traffic-history.ts';
import type { ServiceView } from '../../lib/model/view.ts';

function service(change: Partial<ServiceView>): ServiceView {
  return {
    name: 'web',
    mode: 'nat',
    listen: 'tcp://192.0.2.1:80',
    balance: 'maglev',
    backends: 1,
    backendsUp: 1,
    flows: 0,
    queued: 0,
    connections: 0,
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    dropped: {},
    ...change,
  };
}

describe('the history of traffic', () => {
  it('has what all services together have carried in each second', () => {
    const history = new TrafficHistory();
    history.observe(
      0,
      () => [service({ bytesIn: 5 }), service({ packetsIn: null })],
      () => 1,
    );
    const later = [
      service({
        bytesIn: 105,
        packetsIn: 10,
        connections: 2,
        dropped: { 'no-flow': 3, 'ports-exhausted': 1 },
      }),
      service({ packetsIn: null, bytesOut: 7 }),
    ];
    history.observe(
      1_000,
      () => later,
      () => 2,
    );
    assert.deepEqual(history.view(9), {
      stepMs: 1_000,
      steps: [{ packetsIn: 10, packetsOut: 0, bytesIn: 100, bytesOut: 7, connections: 2, dropped: 5 }],
    });
  });

  it('knows no packets where no service sees any', () => {
    const history = new TrafficHistory();
    const blind = () => [service({ packetsIn: null, packetsOut: null })];
    for (const nowMs of [0, 1_000]) history.observe(nowMs, blind, () => 0);
    const [step] = history.view(1).steps;
    assert.deepEqual([step!.packetsIn, step!.packetsOut, step!.bytesIn], [null, null, 0]);
  });

  it('looks once a second, however often it is called, and makes up for looks that come late', () => {
    const history = new TrafficHistory();
    let looks = 0;
    // Ten bytes a millisecond.
    const services = (nowMs: number) => () => {
      looks++;
      return [service({ bytesIn: nowMs * 10 })];
    };
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 170) history.observe(nowMs, services(nowMs), () => 0);
    assert.equal(looks, 60);
    assert.deepEqual(new Set(history.view(300).steps.map(({ bytesIn }) => bytesIn)), new Set([10_000]));
  });

  it('takes what has become less for nothing', () => {
    const history = new TrafficHistory();
    history.observe(
      0,
      () => [service({ bytesIn: 900 }), service({ bytesIn: 50 })],
      () => 0,
    );
    history.observe(
      1_000,
      () => [service({ bytesIn: 60 })],
      () => 0,
    );
    assert.equal(history.view(1).steps[0]!.bytesIn, 0);
  });

  it('keeps five minutes, and shows as much as is asked for', () => {
    const history = new TrafficHistory();
    for (let second = 0; second <= 1_000; second++) {
      history.observe(
        second * 1_000,
        () => [service({ bytesIn: second * second })],
        () => 0,
      );
    }
    assert.equal(history.view(1_000).steps.length, 300);
    assert.deepEqual(
      history.view(2).steps.map(({ bytesIn }) => bytesIn),
      [1_997, 1_999],
    );
    assert.deepEqual(history.view(0).steps, []);
  });
});
