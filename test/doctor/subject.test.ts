import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../lib/config/parse.ts';
import { backendEndpoints, subjectOf, subjectOfRunning } from '../../lib/doctor/subject.ts';
import { FakeInstance } from '../control/fake-instance.ts';

describe('what the doctor looks at', () => {
  const read = (text: string) =>
    subjectOf(parseConfig(text, 'edge.yaml'), (host) => (host === 'web.internal' ? '10.0.0.9' : host), []);

  it('is what a configuration asks for, its names looked up', () => {
    const subject = read(`nat: { workers: 2, snat-ports: 7000-8000, add-vip: eth0 }
services:
  - { name: dns, mode: nat, listen: ["udp://192.0.2.1:53", "tcp://192.0.2.1:53"], backends: ["web.internal:53"], snat: none }
  - { name: web, listen: ":8080", backends: ["10.0.0.1:80"] }
  - { name: video, mode: dsr, listen: "192.0.2.2:443", backends: ["10.0.0.3"], encap: ipip }
`);
    assert.deepEqual(subject.services, [
      {
        name: 'dns',
        mode: 'nat',
        vips: [
          { protocol: 'udp', address: '192.0.2.1', port: 53 },
          { protocol: 'tcp', address: '192.0.2.1', port: 53 },
        ],
        backends: [{ address: '10.0.0.9', port: 53 }],
        keepsClient: true,
        encapsulation: undefined,
      },
      {
        name: 'web',
        mode: 'proxy',
        vips: [{ protocol: 'tcp', address: '', port: 8080 }],
        backends: [{ address: '10.0.0.1', port: 80 }],
        keepsClient: false,
        encapsulation: undefined,
      },
      {
        name: 'video',
        mode: 'dsr',
        vips: [{ protocol: 'tcp', address: '192.0.2.2', port: 443 }],
        backends: [{ address: '10.0.0.3', port: 0 }],
        keepsClient: false,
        encapsulation: 'ipip',
      },
    ]);
    assert.deepEqual(subject.paths.nat, { workers: 2, snatPorts: [7_000, 8_000], addVip: 'eth0' });
    assert.deepEqual(subject.paths.dsr?.probePorts, [26_624, 28_671]);
    assert.deepEqual(
      backendEndpoints(subject.services[0]!).map(({ protocol, port }) => `${protocol} ${port}`),
      ['udp 53', 'tcp 53'],
    );
  });

  it('has no ports of its own where sources are named, which are for nobody else', () => {
    const { paths } = read(
      'services: [{ name: a, mode: nat, listen: "192.0.2.1:80", backends: ["10.0.0.1:80"], snat: ["10.0.0.7"] }]\n',
    );
    assert.equal(paths.nat?.snatPorts, undefined);
  });

  it('is what runs, where there is no configuration', () => {
    const { statusView, backendViews } = new FakeInstance();
    const { services, pids } = subjectOfRunning([{ ...statusView, backends: backendViews }]);
    assert.deepEqual(pids, [4711]);
    assert.deepEqual(services, [
      {
        name: 'web',
        mode: 'proxy',
        vips: [{ protocol: 'tcp', address: '127.0.0.1', port: 8080 }],
        backends: [
          { address: '127.0.0.1', port: 9001 },
          { address: 'fd00::1', port: 9002 },
        ],
        keepsClient: false,
        encapsulation: undefined,
      },
    ]);
  });

  it('hears what checks through tunnels say', () => {
    const { statusView, backendViews } = new FakeInstance();
    const [service] = statusView.services;
    const [backend] = backendViews;
    const { services, tunnels } = subjectOfRunning([
      {
        pid: 1,
        services: [{ ...service!, mode: 'dsr', listen: 'tcp://192.0.2.10:80,udp://192.0.2.10:80' }],
        backends: [
          {
            ...backend!,
            address: '10.0.0.3',
            health: { ...backend!.health, last: 'tunnel dead: no answer' },
          },
          { ...backend!, address: 'fd00::3' },
        ],
      },
    ]);
    assert.deepEqual(
      services[0]!.backends.map(({ address }) => address),
      ['10.0.0.3', 'fd00::3'],
    );
    assert.deepEqual(tunnels, [
      { vips: ['192.0.2.10'], backend: '10.0.0.3', last: 'tunnel dead: no answer' },
      { vips: ['192.0.2.10'], backend: 'fd00::3', last: 'ok' },
    ]);
  });
});
