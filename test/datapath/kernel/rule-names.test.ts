import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRuleName, rulePrefix } from '../../../lib/datapath/kernel/rule-names.ts';

describe('names of rules', () => {
  it('begin with the name of the instance', () => {
    assert.equal(rulePrefix('edge-1'), 'sluice-edge-1');
  });

  it('have the packet path behind the instance, where it is not the only one', () => {
    assert.equal(rulePrefix('edge-1/dsr'), 'sluice-edge-1/dsr');
    assert.match(rulePrefix('edge-of-town/dsr'), /^sluice-[\da-f]{12}$/);
  });

  it('begin with a digest of a name that is too long for iptables, or that it would not take', () => {
    for (const name of ['a-name-that-goes-on-and-on', 'a b', 'naïve', '$(x)']) {
      assert.match(rulePrefix(name), /^sluice-[\da-f]{12}$/, name);
    }
    assert.notEqual(rulePrefix('a-name-that-goes-on-and-on'), rulePrefix('a-name-that-goes-on-and-off'));
  });

  it('fit into 28 characters with every part', () => {
    for (let length = 1; length < 40; length += 1) {
      assert.ok(`${rulePrefix('x'.repeat(length))}/65535`.length <= 28);
    }
  });

  it('are told from those of an instance with a longer name', () => {
    assert.ok(isRuleName('sluice-web', 'sluice-web'));
    assert.ok(isRuleName('sluice-web', 'sluice-web/0'));
    assert.ok(!isRuleName('sluice-web', 'sluice-web-2'));
    assert.ok(!isRuleName('sluice-web', 'sluice-web-2/0'));
  });

  it('are told from those of another packet path of the same instance', () => {
    for (const part of ['', '/0', '/src']) {
      assert.ok(isRuleName('sluice-web/dsr', `sluice-web/dsr${part}`));
      assert.ok(!isRuleName('sluice-web', `sluice-web/dsr${part}`));
      assert.ok(!isRuleName('sluice-web/dsr', `sluice-web${part}`));
    }
  });
});
