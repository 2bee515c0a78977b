/** `sluice dsr`: one service whose backends answer clients by themselves, from the command line alone. */
import { defineCommand } from '../command.ts';
import { balanceFlags, dsrFlags, dsrPathFlags, foregroundFlags, instanceFlags } from '../flags.ts';
import { runInForeground } from '../foreground.ts';

export const dsr = defineCommand({
  name: 'dsr',
  summary: 'Tunnel packets to backends that answer clients directly (root, or CAP_NET_ADMIN and CAP_NET_RAW)',
  positionals: {
    VIP: { describe: '[tcp://|udp://]HOST:PORT that clients use, an address that the backends have too' },
    BACKEND: {
      describe: 'HOST, or HOST=WEIGHT: where the tunnel ends; the port is that of the VIP',
      many: true,
    },
  },
  flags: { ...balanceFlags, ...dsrFlags, ...dsrPathFlags, ...instanceFlags, ...foregroundFlags },
  examples: [
    ['sluice dsr 192.0.2.10:80 10.0.0.1 10.0.0.2=2', 'TCP through GRE to two backends'],
    [
      'sluice dsr 192.0.2.10:80 10.0.0.1 10.0.0.2 --add-vip eth0 --check http:/healthz',
      'at an address of its own, each backend asked through its tunnel',
    ],
    [
      'sluice dsr udp://192.0.2.10:53 [fd00::1] [fd00::2] --encap ipip --outer-source fd00:7::/96',
      'IPv4 in IPv6, from another source for each flow, so that routers spread them',
    ],
    ['sluice dsr 192.0.2.10:443 10.0.0.1 10.0.0.2 --encap l2', 'to backends on the same link, no tunnel'],
  ],
  async run({ VIP, BACKEND, ...flags }, terminal) {
    const { dsrInstanceFromArguments } = await import('../../config/one-liner.ts');
    const spec = dsrInstanceFromArguments({ ...flags, listen: VIP, backends: BACKEND });
    return runInForeground({ spec, flags, terminal });
  },
});
