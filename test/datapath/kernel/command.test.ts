import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { CommandError, commandRunner, complaintOf } from '../../../lib/datapath/kernel/command.ts';

const input = '*raw\n:sx - [0:0]\n-A sx -p tcp -j NOSUCH\nCOMMIT\n';

const rows = [
  {
    name: 'iptables-legacy, with the line at fault',
    stderr: `iptables-restore v1.8.9 (legacy): Couldn't load target \`NOSUCH':No such file or directory

Error occurred at line: 3
Try \`iptables-restore -h' or 'iptables-restore --help' for more information.`,
    says: "Couldn't load target `NOSUCH':No such file or directory (-A sx -p tcp -j NOSUCH)",
  },
  {
    name: 'iptables-nft, whose warnings are nobody’s concern',
    stderr: `# Warning: iptables-legacy tables present, use iptables-legacy to see them
iptables-nft-restore v1.8.9 (nf_tables): Chain 'NOSUCH' does not exist
Error occurred at line: 3
Try \`iptables-nft-restore -h' or 'iptables-nft-restore --help' for more information.`,
    says: "Chain 'NOSUCH' does not exist (-A sx -p tcp -j NOSUCH)",
  },
  {
    name: 'iptables-nft, when the kernel refuses',
    stderr: `iptables-nft-restore v1.8.9 (nf_tables): 
line 3: RULE_APPEND failed (Invalid argument): rule in chain sx`,
    says: 'RULE_APPEND failed (Invalid argument): rule in chain sx (-A sx -p tcp -j NOSUCH)',
  },
  {
    name: 'nft, without its pointer below the text',
    stderr: `/dev/stdin:3:4-12: Error: Could not process rule: No such file or directory
-A sx -p tcp -j NOSUCH
   ^^^^^^^^^`,
    says: 'Could not process rule: No such file or directory (-A sx -p tcp -j NOSUCH)',
  },
  {
    name: 'ip, which knows no line',
    stderr: 'RTNETLINK answers: Operation not permitted\n',
    says: 'RTNETLINK answers: Operation not permitted',
  },
];

describe('what a tool complains of', () => {
  for (const { name, stderr, says } of rows) {
    it(`is one line of ${name}`, () => assert.equal(complaintOf(stderr, input), says));
  }
});

describe('running a tool', () => {
  const run = commandRunner(tmpdir());

  it('hands over its input, no shell in between, and returns what it prints', async () => {
    assert.equal(await run('cat', []), '');
    assert.equal(await run('cat', ['-'], '$(id) `id`\n'), '$(id) `id`\n');
    assert.equal(await run('printf', ['%s', '$HOME; id']), '$HOME; id');
  });

  it('fails with the complaint of the tool', async () => {
    await assert.rejects(run('sh', ['-c', 'echo no such luck >&2; exit 3']), {
      name: 'CommandError',
      message: 'sh: no such luck',
      missing: false,
    });
  });

  it('tells a tool that is not there from one that fails', async () => {
    await assert.rejects(run('no-such-tool', []), (error) => error instanceof CommandError && error.missing);
  });

  it('survives a tool that does not read its input', async () => {
    assert.equal(await run('true', [], 'x'.repeat(1 << 20)), '');
  });
});
