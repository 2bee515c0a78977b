import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultCheck, parseCheck } from '../../lib/config/check.ts';
import { parseListen } from '../../lib/model/address.ts';
import { type CheckSpec, defaultCheckTiming as timing } from '../../lib/model/spec.ts';

describe('a check in short', () => {
  const written: readonly (readonly [string, CheckSpec])[] = [
    ['none', { type: 'none' }],
    ['tcp', { ...timing, type: 'tcp' }],
    ['http:/', { ...timing, type: 'http', tls: false, path: '/', status: [200, 399] }],
    ['https:/up?x=1:2', { ...timing, type: 'http', tls: true, path: '/up?x=1:2', status: [200, 399] }],
    ['udp:00FF', { ...timing, type: 'udp', send: '00ff' }],
    ['udp:00ff/8180', { ...timing, type: 'udp', send: '00ff', expect: '8180' }],
    ['exec:test -f /up: now', { ...timing, type: 'exec', command: 'test -f /up: now' }],
  ];
  for (const [text, check] of written) {
    it(`may be ${text}`, () => assert.deepEqual(parseCheck(text, timing), check));
  }

  const types = 'use tcp, http:/PATH, https:/PATH, udp:HEX, exec:COMMAND or none';
  for (const [text, message, remedy] of [
    ['', '"" is not a check: type "" is unknown', types],
    ['icmp', '"icmp" is not a check: type "icmp" is unknown', types],
    ['TCP', '"TCP" is not a check: type "TCP" is unknown', types],
    ['tcp:80', '"tcp:80" is not a check: tcp stands alone', 'write tcp'],
    ['none:', '"none:" is not a check: none stands alone', 'write none'],
    ['http', '"http" is not a check: the path is missing', 'write http:/PATH'],
    ['https:', '"https:" is not a check: the path is missing', 'write https:/PATH'],
    ['http:up', '"up" is not a path', 'begin it with one /, and percent-encode the rest'],
    ['http://a/up', '"//a/up" is not a path', 'begin it with one /, and percent-encode the rest'],
    ['http:/a b', '"/a b" is not a path', 'begin it with one /, and percent-encode the rest'],
    ['http:/a\r\nX: y', '"/a\\r\\nX: y" is not a path', 'begin it with one /, and percent-encode the rest'],
    ['udp', '"udp" is not a check: the bytes to send are missing', 'write udp:HEX'],
    ['udp:0', '"0" is not hexadecimal', 'write two digits a byte, as in 00ff'],
    ['udp:hello', '"hello" is not hexadecimal', 'write two digits a byte, as in 00ff'],
    ['udp:00/', '"" is not hexadecimal', 'write two digits a byte, as in 00ff'],
    ['udp:00/11/22', '"11/22" is not hexadecimal', 'write two digits a byte, as in 00ff'],
    ['exec:', '"exec:" is not a check: the command is missing', 'write exec:COMMAND'],
  ] as const) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseCheck(text, timing), { name: 'SluiceError', exitCode: 2, message, remedy });
    });
  }
});

describe('the check of a service that does not say', () => {
  it('connects, unless the service is reached by UDP alone', () => {
    assert.equal(defaultCheck([parseListen(':80')]), 'tcp');
    assert.equal(defaultCheck([parseListen('udp://:53')]), 'none');
    assert.equal(defaultCheck([parseListen('udp://:53'), parseListen('tcp://:53')]), 'tcp');
  });
});
