import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowQuery } from '../../lib/tui/rows.ts';
import { type ViewName, viewNames } from '../../lib/tui/state.ts';
import { Driver, large } from './support.tsx';

const at = (view: ViewName) => new Driver({ view }).learn();

/** The line at the bottom. */
const foot = (driver: Driver): string => driver.lines().at(-1)!;

describe('the keys of the dashboard', () => {
  it('go from view to view', () => {
    const driver = at('overview');
    const seen = [...'4231'].map((key) => driver.press(key).state.view);
    assert.deepEqual(seen, ['log', 'flows', 'backends', 'overview']);
    const round = viewNames.map(() => driver.press('<tab>').state.view);
    assert.deepEqual(round, ['flows', 'backends', 'log', 'overview']);
    assert.equal(driver.press('<shift-tab>').state.view, 'log');
  });

  it('go to a view by name, or by the beginning of one, and help with a typo', () => {
    const driver = at('overview').press(':backends<enter>');
    assert.equal(driver.state.view, 'backends');
    assert.equal(driver.press(':fl<tab>').state.prompt?.text, 'flows');
    assert.equal(driver.press('<enter>').state.view, 'flows');
    assert.match(
      foot(driver.press(':backend<enter>:bakcends<enter>')),
      /no view "bakcends" — did you mean backends/,
    );
    assert.equal(driver.press('<escape>').state.prompt, undefined);
    assert.deepEqual(driver.press(':q<enter>').effects, [{ type: 'quit' }]);
  });

  it('move through a list, by line, by page and to its ends', () => {
    const driver = at('flows');
    const index = (keys: string) => driver.press(keys).state.lists.flows.index;
    assert.deepEqual(['j', '<down>', 'k', '<up>', '<up>'].map(index), [1, 2, 1, 0, 0]);
    assert.deepEqual(['<pagedown>', '<pageup>'].map(index), [19, 0]);
    assert.ok(index('G') > 19);
    assert.equal(index('g'), 0);
  });

  it('stay at the top of a list until somebody moves, and then with the row that was chosen', () => {
    const driver = at('backends');
    const shuffle = () => driver.press('r').state.lists.backends.index;
    assert.equal(shuffle(), 0);
    const chosen = driver.press('jj').state.lists.backends.key;
    shuffle();
    assert.equal(driver.state.lists.backends.key, chosen);
    driver.press('g');
    assert.equal(shuffle(), 0);
  });

  it('ask for rows beyond those that the instance has sent, as they come into sight', () => {
    const driver = at('flows');
    const shown = () => driver.state.sample!.flows!.flows.length;
    const before = shown();
    driver.press('<pagedown>'.repeat(4));
    assert.ok(shown() > before, `${shown()} after ${before}`);
    assert.equal(flowQuery(driver.state).limit, driver.state.lists.flows.offset + 2 * 19);
    driver.press('G'.repeat(9));
    assert.equal(driver.state.lists.flows.index, 89);
  });

  it('sort by the columns in sight, the next, the one before, and the other way round', () => {
    const driver = at('flows');
    const sort = (keys: string) => {
      const { sort: column, reverse } = flowQuery(driver.press(keys).state);
      return `${column}${reverse ? ' reversed' : ''}`;
    };
    assert.equal(sort(''), 'rate-out');
    assert.deepEqual(['>', '<right>', 'r', 'r', '<left>', '<'].map(sort), [
      'client',
      'backend',
      'backend reversed',
      'backend',
      'client',
      'rate-out',
    ]);
    const first = () => driver.state.sample!.flows!.flows[0]!.client;
    const fastest = first();
    driver.press('r');
    assert.notEqual(first(), fastest);
  });

  it('filter what is in sight, and say what is wrong with a filter', () => {
    const driver = at('flows').press('/udp client:198.51.100.5<enter>');
    assert.deepEqual(
      driver.state.sample!.flows!.flows.map(({ client }) => client),
      ['198.51.100.5:40005'],
    );
    assert.match(foot(driver.press('/<ctrl-u>port:x<enter>')), /is no port/);
    assert.equal(driver.state.filters.flows, 'udp client:198.51.100.5');
    driver.press('<escape><escape>');
    assert.equal(driver.state.filters.flows, '');
    const rows = (driver: Driver, text: string) =>
      driver
        .lines()
        .slice(4)
        .filter((line) => line.includes(text));
    assert.equal(rows(at('backends').press('/dns<enter>'), ' up ').length, 2);
    assert.equal(rows(at('log').press('/refused<enter>'), 'refused').length, 1);
    assert.equal(at('overview').press('/').state.prompt, undefined);
  });

  it('let a person mend what he writes', () => {
    const driver = at('flows').press('/10.0.0.1 tcq<backspace>p');
    assert.equal(driver.state.prompt?.text, '10.0.0.1 tcp');
    assert.equal(driver.press('<ctrl-w>').state.prompt?.text, '10.0.0.1 ');
    driver.send({ type: 'key', key: { name: 'text', text: 'web\n' } });
    assert.equal(driver.state.prompt?.text, '10.0.0.1 web ');
    assert.equal(driver.press('<ctrl-u><ctrl-u>').state.prompt?.text, '');
    assert.equal(driver.press('<backspace>').state.prompt, undefined);
  });

  it('drain and enable a backend, but not before the question is answered', () => {
    const driver = at('backends').press('jj');
    assert.match(foot(driver.press('d')), /Drain 10\.0\.2\.11:8443 of web\? {2}y yes {2}n no/);
    assert.deepEqual(driver.press('xq').effects, []);
    assert.equal(driver.press('n').state.prompt, undefined);
    assert.deepEqual(driver.effects, []);
    const backend = { service: 'web', name: '10.0.2.11:8443' };
    assert.deepEqual(driver.press('dyey').effects, [
      { type: 'patch', backend, patch: { state: 'draining' }, done: '10.0.2.11:8443 is draining' },
      { type: 'patch', backend, patch: { state: 'enabled' }, done: '10.0.2.11:8443 is enabled' },
    ]);
  });

  it('drain the backend that was chosen when the question was asked, wherever it goes', () => {
    const driver = at('backends').press('jjd');
    driver.sample(1_000, { backends: driver.state.sample!.backends.toReversed() }).press('y');
    const [effect] = driver.effects;
    assert.equal(effect?.type === 'patch' && effect.backend.name, '10.0.2.11:8443');
  });

  it('give a backend another weight', () => {
    const driver = at('backends').press('w3x<enter>');
    assert.match(foot(driver), /whole number from 0 to 65535/);
    driver.press('<backspace><enter>');
    assert.deepEqual(driver.effects, [
      {
        type: 'patch',
        backend: { service: 'dns', name: '10.0.2.31:53' },
        patch: { weight: 3 },
        done: '10.0.2.31:53 has weight 3',
      },
    ]);
  });

  it('mean the backend of the chosen flow among the flows, and none elsewhere', () => {
    const driver = at('flows').press('jwdy');
    assert.match(foot(driver), /Weight of 10\.0\.2\.12:8443/);
    assert.match(foot(at('overview').press('d')), /choose a backend first: press 3/);
  });

  it('open details and help, and go a step back', () => {
    const driver = at('flows').press('<enter>');
    assert.ok(driver.lines().some((line) => line.includes('Why this backend')));
    driver.press('?');
    assert.ok(driver.lines().some((line) => line.includes('Filters')));
    driver.press('x');
    assert.equal(driver.state.isHelpOpen, false);
    assert.equal(driver.press('<escape>').state.isDetailOpen, false);
  });

  it('pause, draw again, and quit', () => {
    const driver = at('overview').press('p');
    assert.equal(driver.state.isPaused, true);
    assert.equal(driver.press('p').state.isPaused, false);
    assert.deepEqual(driver.press('<ctrl-l>q<ctrl-c>').effects, [
      { type: 'redraw' },
      { type: 'quit' },
      { type: 'quit' },
    ]);
  });

  it('stop the instance that the dashboard is inside of: after a question, or as SIGINT does', () => {
    const inside = new Driver({ place: 'inside' }).learn();
    assert.match(foot(inside.press('q')), /Stop edge-1\?/);
    assert.deepEqual(inside.press('n').effects, []);
    assert.deepEqual(inside.press('qy<ctrl-c>').effects, [{ type: 'stop' }, { type: 'stop' }]);
    const demo = new Driver({ place: 'inside', asksBeforeStop: false }).learn();
    assert.deepEqual(demo.press('q').effects, [{ type: 'stop' }]);
  });

  it('do nothing where they have no meaning', () => {
    const driver = at('overview');
    const { state } = driver;
    assert.deepEqual(driver.press('zZ0<left>').state, state);
  });
});

describe('the dashboard', () => {
  it('says for how long the instance has been gone, and that it is back', () => {
    const driver = at('overview').send({ type: 'lost', reason: 'no instance answers' });
    driver.nowMs += 65_000;
    driver.send({ type: 'lost', reason: 'no instance answers' });
    assert.match(driver.lines()[0]!, /gone for 1m05s/);
    assert.match(driver.sample(1_000).lines()[0]!, /● live/);
  });

  it('begins anew with another process: rates, and the log', () => {
    const driver = at('backends');
    const { status } = driver.state.sample!;
    driver.sample(1_000, { status: { ...status, pid: 9 } });
    assert.equal(driver.state.before, undefined);
    assert.deepEqual(driver.state.log, []);
  });

  it('takes rates from samples that are far enough apart', () => {
    const driver = at('backends');
    const { before } = driver.state;
    assert.equal(driver.sample(100).state.before, before);
    assert.notEqual(driver.sample(900).state.before, before);
  });

  it('forgets a word after a while', () => {
    const driver = at('overview').send({ type: 'noticed', text: 'a is draining', tone: 'good' });
    assert.match(foot(driver), /a is draining/);
    driver.nowMs += 5_000;
    assert.doesNotMatch(foot(driver.send({ type: 'ticked' })), /draining/);
  });

  it('goes along with the log for whoever is at its end, and stays with him who reads further up', () => {
    const driver = at('log');
    const entry = { ...driver.state.log[0]!, sequence: 6, message: 'news' };
    assert.equal(driver.send({ type: 'logged', entries: [entry] }).state.lists.log.index, 5);
    driver.press('kkk').send({ type: 'logged', entries: [{ ...entry, sequence: 7 }] });
    assert.equal(driver.state.lists.log.index, 2);
  });

  it('remembers as much of the log as an instance does', () => {
    const driver = at('log');
    const entries = Array.from({ length: 3_000 }, (_, index) => ({
      ...driver.state.log[0]!,
      sequence: 10 + index,
    }));
    assert.equal(driver.send({ type: 'logged', entries }).state.log.length, 1_000);
  });

  it('follows the size of the terminal', () => {
    const driver = at('flows').send({ type: 'resized', size: large });
    assert.equal(driver.lines().length, large.rows);
    assert.ok(driver.lines().some((line) => line.includes('BYTES OUT')));
  });
});
