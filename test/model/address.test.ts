import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type BackendPort,
  formatBackend,
  formatHostPort,
  formatListen,
  parseBackend,
  parseHostPort,
  parseListen,
} from '../../lib/model/address.ts';
import { ExitCode, SluiceError } from '../../lib/model/errors.ts';
import type { Listen } from '../../lib/model/spec.ts';

const withPort: BackendPort = 'required';

const refusal = (message: string, remedy: string) => ({
  name: 'SluiceError',
  code: 'ERR_SLUICE_USAGE',
  exitCode: ExitCode.usage,
  message,
  remedy,
});

const ipv4Remedy = 'write four numbers from 0 to 255, without leading zeros';
const portRemedy = 'use a port from 1 to 65535';
const weightRemedy = 'use a whole number from 0 to 65535';
const hostRemedy = 'use an address, or a name of letters, digits, hyphens and dots';

describe('a listener', () => {
  for (const [text, protocol, host, port] of [
    ['127.0.0.1:8080', 'tcp', '127.0.0.1', 8080],
    ['tcp://127.0.0.1:8080', 'tcp', '127.0.0.1', 8080],
    ['UDP://127.0.0.1:53', 'udp', '127.0.0.1', 53],
    [':80', 'tcp', '', 80],
    ['udp://:53', 'udp', '', 53],
    ['127.0.0.1:0', 'tcp', '127.0.0.1', 0],
    ['[::1]:80', 'tcp', '::1', 80],
    ['[FD00:0::1]:80', 'tcp', 'fd00::1', 80],
    ['[fe80::1%eth0]:80', 'tcp', 'fe80::1%eth0', 80],
    ['LocalHost:80', 'tcp', 'localhost', 80],
    ['web-1.internal.:080', 'tcp', 'web-1.internal.', 80],
    ['3com.com:65535', 'tcp', '3com.com', 65535],
  ] as const) {
    it(`may be ${text}`, () => assert.deepEqual(parseListen(text), { protocol, host, port }));
  }

  for (const [text, problem, remedy] of [
    ['', 'it is empty', 'write HOST:PORT, or :PORT for every address'],
    ['tcp://', 'it is empty', 'write HOST:PORT, or :PORT for every address'],
    ['http://127.0.0.1:80', 'scheme "http" is unknown', 'use tcp:// or udp://'],
    ['://127.0.0.1:80', 'scheme "" is unknown', 'use tcp:// or udp://'],
    ['tcp://udp://:80', 'udp:// does not belong here', 'leave udp:// out'],
    ['127.0.0.1', 'the port is missing', 'add one, as in 127.0.0.1:80'],
    ['[fd00::1]', 'the port is missing', 'add one, as in [fd00::1]:80'],
    ['127.0.0.1:', 'the port is missing', portRemedy],
    ['127.0.0.1:http', 'port "http" is not a number', portRemedy],
    ['127.0.0.1:-1', 'port "-1" is not a number', portRemedy],
    ['127.0.0.1:80/', 'port "80/" is not a number', portRemedy],
    ['127.0.0.1:99999', 'port 99999 is out of range', portRemedy],
    ['127.0.0.300:80', '"127.0.0.300" is not an IPv4 address', ipv4Remedy],
    ['127.0.0.010:80', '"127.0.0.010" is not an IPv4 address', ipv4Remedy],
    ['1.2.3:80', '"1.2.3" is not an IPv4 address', ipv4Remedy],
    ['8080:80', '"8080" is not an IPv4 address', ipv4Remedy],
    ['0x7f.0.0.0x1:80', '"0x7f.0.0.0x1" is not an IPv4 address', ipv4Remedy],
    ['8080', 'it is only a port', 'write :8080'],
    ['udp://53', 'it is only a port', 'write :53'],
    ['::1:8080', 'IPv6 needs brackets', 'write [::1]:8080'],
    ['tcp://fd00::1', 'IPv6 needs brackets', 'write [fd00::1]:PORT'],
    ['fd00::a:b:8080', 'IPv6 needs brackets', 'write [fd00::a:b]:8080'],
    ['1:2:3', 'it has too many colons', 'write HOST:PORT, and IPv6 in brackets'],
    ['[::1:80', 'the bracket is not closed', 'write [IPV6]:PORT, as in [fd00::1]:80'],
    [
      '[127.0.0.1]:80',
      '"127.0.0.1" is not an IPv6 address',
      'write only IPv6 in brackets, as in [fd00::1]:80',
    ],
    ['[::1]80', '"80" follows the bracket', 'write [::1]:PORT'],
    ['my_web:80', '"my_web" is not a host', hostRemedy],
    ['-web:80', '"-web" is not a host', hostRemedy],
    ['web..internal:80', '"web..internal" is not a host', hostRemedy],
    ['*:80', '"*" is not a host', hostRemedy],
    ['.:80', '"." is not a host', hostRemedy],
    [`${'a.'.repeat(127)}b:80`, `"${'a.'.repeat(127)}b" is not a host`, hostRemedy],
    [`${'a'.repeat(64)}:80`, `"${'a'.repeat(64)}" is not a host`, hostRemedy],
  ] as const) {
    it(`is not ${JSON.stringify(text)}: ${problem}`, () => {
      assert.throws(
        () => parseListen(text),
        refusal(`${JSON.stringify(text)} is not an address: ${problem}`, remedy),
      );
    });
  }

  it('is read again as it was written', () => {
    const host = fc.oneof(
      fc.constant(''),
      fc.ipV4(),
      fc.ipV6(),
      fc.domain().filter((name) => !/^(?:\d+|0x[\da-f]*)$/.test(name.split('.').at(-1)!)),
    );
    fc.assert(
      fc.property(fc.constantFrom('tcp', 'udp'), host, fc.nat(65_535), (protocol, host, port) => {
        const bracketed = host.includes(':') ? `[${host}]` : host;
        const listen: Listen = parseListen(`${protocol}://${bracketed}:${port}`);
        assert.deepEqual(parseListen(formatListen(listen)), listen);
        assert.equal(formatListen(parseListen(formatListen(listen))), formatListen(listen));
      }),
    );
  });
});

describe('a backend', () => {
  for (const [text, name, host, port, weight] of [
    ['10.0.0.1:80', '10.0.0.1:80', '10.0.0.1', 80, 1],
    ['10.0.0.1:80=0', '10.0.0.1:80', '10.0.0.1', 80, 0],
    ['Web.internal:80=65535', 'web.internal:80', 'web.internal', 80, 65535],
    ['[FD00::0:1]:80=2', '[fd00::1]:80', 'fd00::1', 80, 2],
  ] as const) {
    it(`may be ${text}`, () => {
      assert.deepEqual(parseBackend(text, withPort), { name, host, port, weight });
    });
  }

  it('is called by its host where it may leave out the port, and does', () => {
    assert.deepEqual(parseBackend('10.0.0.1=3', 'optional'), {
      name: '10.0.0.1',
      host: '10.0.0.1',
      port: 0,
      weight: 3,
    });
    assert.equal(parseBackend('[fd00::1]', 'optional').name, 'fd00::1');
    assert.equal(parseBackend('10.0.0.1:81', 'optional').port, 81);
    assert.equal(formatBackend('fd00::1', 0), 'fd00::1');
    assert.equal(formatBackend('fd00::1', 80), '[fd00::1]:80');
  });

  for (const [text, problem, remedy, port] of [
    ['', 'it is empty', 'write HOST:PORT'],
    ['=2', 'it is empty', 'write HOST:PORT'],
    ['=2', 'it is empty', 'write HOST or HOST:PORT', 'optional'],
    [':80', 'the host is missing', 'write HOST:PORT'],
    ['9001', 'it is only a port', 'write HOST:9001'],
    ['10.0.0.1', 'the port is missing', 'add one, as in 10.0.0.1:80'],
    ['10.0.0.1=2', 'the port is missing', 'add one, as in 10.0.0.1:80'],
    ['10.0.0.1:0', 'port 0 is out of range', portRemedy],
    ['10.0.0.1:65536', 'port 65536 is out of range', portRemedy],
    ['tcp://10.0.0.1:80', 'tcp:// does not belong here', 'leave tcp:// out'],
    ['10.0.0.1:80=', 'the weight is missing', weightRemedy],
    ['10.0.0.1:80=x', 'weight "x" is not a whole number', weightRemedy],
    ['10.0.0.1:80=-1', 'weight "-1" is not a whole number', weightRemedy],
    ['10.0.0.1:80=1.5', 'weight "1.5" is not a whole number', weightRemedy],
    ['10.0.0.1:80=65536', 'weight 65536 is out of range', weightRemedy],
    ['10.0.0.1:80=1=2', 'it has more than one weight', 'write HOST:PORT=WEIGHT'],
    ['fd00::1', 'IPv6 needs brackets', 'write [fd00::1]', 'optional'],
    ['fd00::1:80=2', 'IPv6 needs brackets', 'write [fd00::1]:80'],
  ] as const) {
    it(`is not ${JSON.stringify(text)}: ${problem}`, () => {
      assert.throws(
        () => parseBackend(text, port ?? withPort),
        refusal(`${JSON.stringify(text)} is not an address: ${problem}`, remedy),
      );
    });
  }
});

describe('a host and port', () => {
  it('may be every address and any port to bind, and neither to connect', () => {
    assert.deepEqual(parseHostPort(':0', 'bind'), { host: '', port: 0 });
    assert.throws(() => parseHostPort(':1', 'connect'), /the host is missing/);
    assert.throws(() => parseHostPort('localhost:0', 'connect'), /port 0 is out of range/);
  });

  it('is written with brackets around IPv6 alone', () => {
    assert.equal(formatHostPort('fd00::1', 80), '[fd00::1]:80');
    assert.equal(formatHostPort('10.0.0.1', 80), '10.0.0.1:80');
  });

  it('is read or refused in one line, whatever the text', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789abf.:[]%=/\n-') }));
    fc.assert(
      fc.property(text, (text) => {
        for (const read of [parseListen, (text: string) => parseBackend(text, withPort)]) {
          try {
            read(text);
          } catch (error) {
            assert.ok(error instanceof SluiceError);
            assert.doesNotMatch(error.message + error.remedy, /[\n\r]/);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
