import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingCapabilities } from '../../../lib/datapath/kernel/privileges.ts';

const both = '0000000000003000';
const none = '0000000000000000';

function status(effective: string, ambient: string): string {
  return `Name:\tnode\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\nCapAmb:\t${ambient}\n`;
}

const rows = [
  { name: 'root', status: status('000001ffffffffff', none), uid: 0, what: undefined },
  { name: 'a user with ambient capabilities', status: status(both, both), uid: 1000, what: undefined },
  {
    name: 'a user',
    status: status(none, none),
    uid: 1000,
    what: 'this process lacks CAP_NET_ADMIN and CAP_NET_RAW',
    fix: 'run it with sudo, or with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in its systemd unit',
  },
  {
    name: 'a user with one of them',
    status: status('0000000000001000', '0000000000001000'),
    uid: 1000,
    what: 'this process lacks CAP_NET_RAW',
    fix: 'run it with sudo, or with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in its systemd unit',
  },
  {
    name: 'root in a container',
    status: status('00000000a80425fb', none),
    uid: 0,
    what: 'this process lacks CAP_NET_ADMIN',
    fix: 'start the container with --cap-add NET_ADMIN --cap-add NET_RAW',
  },
  {
    name: 'a program with file capabilities, which its children do not get',
    status: status(both, none),
    uid: 1000,
    what: 'the tools that it starts (nft, iptables, ip) would not inherit CAP_NET_ADMIN and CAP_NET_RAW',
    fix: 'make them ambient: AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in its systemd unit, or setpriv --inh-caps +net_admin,+net_raw --ambient-caps +net_admin,+net_raw',
  },
];

describe('privileges', () => {
  for (const { name, status, uid, what, fix } of rows) {
    it(`of ${name}: ${what === undefined ? 'nothing is missing' : what}`, () => {
      assert.deepEqual(missingCapabilities(status, uid), what === undefined ? [] : [{ what, fix }]);
    });
  }
});
