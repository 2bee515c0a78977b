/**
 * The rules of a tunnel's end in a kernel, by each tool that this machine has. This kernel has no tunnels: a veth stands in
 * for the device that packets come out of, and where nft has no queue, a counter for that.
 *
 *   stranger 10.1.0.2 ──── 10.1.0.1 backend, sluice-gre ──── inside 192.0.2.1
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { after, describe, it } from 'node:test';
import { commandRunner, type Run } from '../../../lib/datapath/kernel/command.ts';
import { type RuleToolName, ruleTool } from '../../../lib/datapath/kernel/rule-tool.ts';
import { planTunnelEnd } from '../../../lib/tunnel-end/plan.ts';
import { readDropCounts } from '../../../lib/tunnel-end/rules/drop-counts.ts';
import { tunnelRules } from '../../../lib/tunnel-end/rules/script.ts';
import { inside } from '../../support/inside-netns.ts';
import { findProgram } from '../../support/tools.ts';
import { facts, spec } from '../machine.ts';

const network = inside(import.meta.url, 'backend', {
  links: [
    { ends: { stranger: '10.1.0.2/24 fd01::2/64', backend: '10.1.0.1/24 fd01::1/64' } },
    { ends: { inside: '10.2.0.2/24 fd02::2/64', backend: '10.2.0.1/24 fd02::1/64' } },
  ],
  routes: { inside: ['default via 10.2.0.1', 'default via fd02::1'] },
});

const wishes = [
  spec(),
  spec({ vips: ['2001:db8::10'], from: ['10.1.0.0/24', 'fd01::2'] }),
  spec({ encapsulation: 'ipip', vips: ['192.0.2.10', '2001:db8::10'], from: ['10.1.0.2', 'fd01::2'] }),
  spec({ encapsulation: 'l2', from: [], mss: 1_000 }),
];

const tools: readonly (readonly [RuleToolName, string])[] = [
  ['nft', 'nft'],
  ['iptables', 'iptables-restore'],
  ['iptables-legacy', 'iptables-legacy-restore'],
];

if (network !== undefined) {
  const here = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  const plain = commandRunner(tmpdir());
  const run: Run = (program, args, input) =>
    plain(program, args, program === 'nft' ? input?.replaceAll(/queue num \d+/g, 'counter drop') : input);
  const present = (): string =>
    here(
      'nft list ruleset; for tool in iptables ip6tables; do $tool-save; $tool-legacy-save; done 2>/dev/null',
    )
      .split('\n')
      .filter((line) => line.includes('sluice'))
      .join('\n');

  for (const [name, program] of tools) {
    const skip = findProgram(program) === undefined && `${program} is not installed`;
    describe(`by ${name}`, { skip }, () => {
      const tool = ruleTool(name, run);
      after(() => tool.remove('t'));

      it('the kernel takes the rules of every plan, twice, and nothing of them is left', async () => {
        for (const wish of wishes) {
          for (const canMake of [true, false]) {
            const { rules } = planTunnelEnd(wish, facts({ canMake: () => canMake }));
            for (let turn = 0; turn < 2; turn++) await tool.apply('t', tunnelRules('t', rules));
            assert.match(present(), /sluice-t/);
            await tool.remove('t');
            assert.equal(present(), '');
          }
        }
      });

      it('what comes out of a device without having been let in is dropped, and counted', async () => {
        here('ip link set inside down; ip link set inside name sluice-gre; ip link set sluice-gre up');
        const { rules } = planTunnelEnd(spec({ vips: ['10.1.0.1', 'fd01::1'], from: ['10.1.0.2'] }), facts());
        await tool.apply('t', tunnelRules('t', rules));
        for (const vip of ['10.1.0.1', 'fd01::1']) {
          assert.throws(() => network.host('inside').run(`ping -c 1 -W 1 ${vip}`));
        }
        // Neighbour discovery is lost as well as the echo.
        const { strangers, notForVip } = await readDropCounts(name, 't', run);
        assert.ok(strangers >= 2, `${strangers}`);
        assert.equal(notForVip, 0);
        await tool.remove('t');
        here('ip link set sluice-gre down; ip link set sluice-gre name inside; ip link set inside up');
      });

      it('tunnel packets from a welcome source are marked, and no others', async () => {
        const { rules } = planTunnelEnd(spec({ from: ['10.1.0.2'] }), facts());
        await tool.apply('t', tunnelRules('t', rules));
        const counter = 'PREROUTING -p gre -m mark --mark 0x51cf0000/0xffff0000';
        here(`iptables -t mangle -A ${counter}`);
        network.host('stranger').run(`/usr/bin/python3 - <<'END'
import logging; logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import *
conf.verb = 0
for source in ("10.1.0.2", "10.1.0.3", "10.1.0.2"):
    send(IP(src=source, dst="10.1.0.1")/GRE()/IP(src="10.9.9.9", dst="192.0.2.10")/UDP())
END`);
        const saved = here('iptables-save -c -t mangle');
        here(`iptables -t mangle -D ${counter}`);
        assert.match(saved, /^\[2:\d+\] -A PREROUTING -p gre/m);
        await tool.remove('t');
      });
    });
  }
}
