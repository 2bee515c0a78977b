import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instanceFromArguments, type ProxyArguments } from '../../lib/config/one-liner.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { ExitCode } from '../../lib/model/errors.ts';
import { defaultCheckTiming } from '../../lib/model/spec.ts';

const least: ProxyArguments = { listen: ':80', backends: ['a:1', 'b:1=2'] };

describe('a one-liner', () => {
  it('is the file that it stands for', () => {
    assert.deepEqual(
      instanceFromArguments(least),
      parseConfig('{ name: proxy, services: [{ name: proxy, listen: :80, backends: [a:1, b:1=2] }] }', 'f'),
    );
  });

  it('can say all that the command line has an option for', () => {
    const given: Required<ProxyArguments> = {
      listen: 'udp://[::1]:53',
      backends: ['[::2]:53'],
      balance: 'source',
      check: 'udp:00/01',
      checkInterval: '2s',
      checkTimeout: '1s',
      rise: 4,
      fall: 5,
      whenAllDown: 'drop',
      connectTimeout: '6ms',
      retries: 7,
      idleTimeout: '8ms',
      halfCloseTimeout: '9ms',
      maxConnections: 10,
      queueLength: 11,
      queueTimeout: '12ms',
      udpIdleTimeout: '13ms',
      udpAnswers: 14,
      udpMaxSessions: 15,
      name: 'edge',
      control: '/run/edge.sock',
      metrics: ':9100',
      drain: '0s',
    };
    const file = `{ name: edge, control: /run/edge.sock, metrics: ":9100", drain: 0s, services: [{
      name: edge, listen: "udp://[::1]:53", backends: ["[::2]:53"], balance: source, when-all-down: drop,
      check: { type: udp, send: "00", expect: "01", interval: 2s, timeout: 1s, rise: 4, fall: 5 },
      connect-timeout: 6ms, retries: 7, idle-timeout: 8ms, half-close-timeout: 9ms, max-connections: 10,
      queue-length: 11, queue-timeout: 12ms, udp-idle-timeout: 13ms, udp-answers: 14, udp-max-sessions: 15 }] }`;
    assert.deepEqual(instanceFromArguments(given), parseConfig(file, 'f'));
  });

  it('checks TCP by connecting, at the interval that was given, and never looks again later than that', () => {
    assert.deepEqual(instanceFromArguments({ ...least, checkInterval: '50ms' }).services[0]?.check, {
      ...defaultCheckTiming,
      type: 'tcp',
      intervalMs: 50,
      fastIntervalMs: 50,
    });
  });

  it('checks nothing over UDP unless told to', () => {
    const { services } = instanceFromArguments({ ...least, listen: 'udp://:53', checkInterval: '1s' });
    assert.deepEqual(services[0]?.check, { type: 'none' });
  });

  for (const [given, message, place] of [
    [
      { listen: '127.0.0.1:99999' },
      '"127.0.0.1:99999" is not an address: port 99999 is out of range',
      undefined,
    ],
    [{ backends: ['a:1', 'b'] }, '"b" is not an address: the port is missing', undefined],
    [{ backends: ['a:1', 'A:1=2'] }, 'backend a:1 is there twice', undefined],
    [{ backends: [] }, 'backends is empty', undefined],
    [{ check: 'icmp' }, '"icmp" is not a check: type "icmp" is unknown', undefined],
    [{ balance: 'fair' }, 'balance "fair" is unknown', '--balance'],
    [{ idleTimeout: '5' }, '"5" is not a duration: the unit is missing', '--idle-timeout'],
    [{ retries: Number.NaN }, 'retries must be a whole number, not NaN', '--retries'],
    [{ checkInterval: '0s' }, '"0s" is too short', '--check-interval'],
    [{ checkTimeout: '5d' }, '"5d" is not a duration: unit d is unknown', '--check-timeout'],
    [{ rise: 0 }, 'rise must be 1 or more, not 0', '--rise'],
    [{ name: '../up' }, '"../up" is not a name', '--name'],
    [{ control: '' }, '"" is empty', '--control'],
    [{ metrics: '9100' }, '"9100" is not an address: it is only a port', '--metrics'],
    [{ drain: 'long' }, '"long" is not a duration: it is not a number and a unit', '--drain'],
  ] as const) {
    it(`is refused as a usage error: ${message}`, () => {
      assert.throws(() => instanceFromArguments({ ...least, ...given }), {
        code: 'ERR_SLUICE_USAGE',
        exitCode: ExitCode.usage,
        message,
        place,
      });
    });
  }
});
