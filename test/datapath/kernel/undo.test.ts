import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CommandError, type Run } from '../../../lib/datapath/kernel/command.ts';
import { type Change, Journal, type JournalFile } from '../../../lib/datapath/kernel/journal.ts';
import { cleanLeftovers } from '../../../lib/datapath/kernel/undo.ts';
import { silentLog } from '../../../lib/model/log.ts';
import { createNetwork, namespaceObstacle } from '../../support/netns.ts';

const address: Change = { kind: 'ip', object: 'address', spec: ['192.0.2.10/32', 'dev', 'eth0'] };
const route: Change = { kind: 'ip', object: 'route', spec: ['192.0.0.8/32', 'dev', 'eth0'] };
const rules: Change = { kind: 'rules', holder: 'web', tool: 'nft' };

describe('what an instance has left', { skip: process.platform !== 'linux' }, () => {
  let directory: string;
  let ran: string[];
  let warnings: unknown[];
  let refuse: string | undefined;

  const run: Run = async (program, args) => {
    const command = [program, ...args].join(' ');
    ran.push(command);
    if (refuse !== undefined) throw new CommandError(program, refuse, false);
    return '';
  };

  const clean = (successorOf?: string, replacesRules?: boolean): Promise<readonly string[]> =>
    cleanLeftovers(
      { directory, run, log: { ...silentLog, warn: (_, fields) => warnings.push(fields) } },
      successorOf,
      replacesRules,
    );

  /** A journal of this process, told otherwise in `parts`. */
  const leave = (parts: Partial<JournalFile>, ...changes: Change[]): void => {
    const journal = new Journal(directory, 'web');
    for (const change of changes) journal.record(change);
    const file = JSON.parse(readFileSync(journal.path, 'utf8')) as JournalFile;
    writeFileSync(journal.path, JSON.stringify({ ...file, ...parts }));
  };

  const ended: Partial<JournalFile> = { owner: { pid: process.pid, startTicks: '1' } };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    ran = [];
    warnings = [];
    refuse = undefined;
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('is undone, the latest first, and then forgotten', async () => {
    leave(ended, rules, address, route);
    assert.deepEqual(await clean(), [
      'rules web',
      'address 192.0.2.10/32 dev eth0',
      'route 192.0.0.8/32 dev eth0',
    ]);
    assert.deepEqual(ran, [
      'ip route delete 192.0.0.8/32 dev eth0',
      'ip address delete 192.0.2.10/32 dev eth0',
      'nft -f -',
    ]);
    assert.deepEqual(readdirSync(directory), []);
  });

  it('is its own as long as its process lives, whose id another may have had before', async () => {
    leave({}, rules);
    assert.deepEqual(await clean(), []);
    assert.deepEqual(ran, []);
  });

  it('is gone after a boot', async () => {
    leave({ ...ended, bootId: '0b9c1f0e' }, rules);
    assert.deepEqual(await clean(), []);
    assert.deepEqual(ran, []);
    assert.deepEqual(readdirSync(directory), []);
  });

  it('is left to others in another network namespace', { skip: namespaceObstacle() }, async () => {
    const network = createNetwork({ links: [{ ends: { one: '10.1.0.1/24', other: '10.1.0.2/24' } }] });
    try {
      leave(
        { ...ended, networkNamespace: network.host('one').run('readlink /proc/self/ns/net').trim() },
        rules,
      );
      assert.deepEqual(await clean('web'), []);
      assert.equal(readdirSync(directory).length, 1);
    } finally {
      network.remove();
    }
    assert.deepEqual(await clean('web'), []);
    assert.deepEqual(ran, []);
    assert.deepEqual(readdirSync(directory), [], 'with the namespace what was left in it has gone');
  });

  it('in a network namespace that cannot be seen from here is left to others', async () => {
    leave({ ...ended, networkNamespace: 'net:[1]', pidNamespace: 'pid:[1]' }, rules);
    assert.deepEqual(await clean('web'), []);
    assert.equal(readdirSync(directory).length, 1);
  });

  it('where its process cannot be seen, is undone by its successor alone', async () => {
    leave({ ...ended, pidNamespace: 'pid:[1]' }, rules);
    assert.deepEqual(await clean(), []);
    assert.deepEqual(await clean('dns'), []);
    assert.deepEqual(await clean('web'), ['rules web']);
  });

  it('keeps its rules in force, and written down, for a successor that replaces them', async () => {
    leave(ended, rules, address);
    assert.deepEqual(await clean('web', true), ['address 192.0.2.10/32 dev eth0']);
    assert.deepEqual(ran, ['ip address delete 192.0.2.10/32 dev eth0']);
    assert.deepEqual(new Journal(directory, 'web').changes, [rules]);
    leave(ended);
    assert.deepEqual(await clean('dns', true), ['rules web'], 'for nobody else');
  });

  it('stays written down if it cannot be undone, and is tried again', async () => {
    leave(ended, rules, address);
    refuse = 'RTNETLINK answers: Device or resource busy';
    assert.deepEqual(await clean(), []);
    assert.equal(warnings.length, 2);
    refuse = undefined;
    assert.deepEqual(await clean(), ['rules web', 'address 192.0.2.10/32 dev eth0']);
  });

  it('may have gone by itself, even with its interface', async () => {
    for (const gone of [
      'RTNETLINK answers: Cannot assign requested address',
      'Cannot find device "eth0"',
      'RTNETLINK answers: No such process',
    ]) {
      leave(ended, address);
      refuse = gone;
      assert.deepEqual(await clean(), ['address 192.0.2.10/32 dev eth0'], gone);
    }
  });

  it('is not believed of a file that someone else has put there', {
    skip: process.getuid?.() !== 0 && 'to give files away takes root',
  }, async () => {
    leave(ended, rules);
    const [file] = readdirSync(directory);
    chownSync(join(directory, file!), 65_534, 65_534);
    assert.deepEqual(await clean('web'), []);
    assert.deepEqual(ran, []);
  });

  it('is not looked for in files that are no journal', async () => {
    writeFileSync(join(directory, 'web.1.undo.json'), '{"version":');
    writeFileSync(join(directory, 'dns.1.undo.json'), '{"version":2}');
    writeFileSync(join(directory, 'web.sock'), '');
    assert.deepEqual(await clean(), []);
    assert.equal(readdirSync(directory).length, 3);
  });
});
