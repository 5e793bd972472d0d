// The switch machine against the table "What comes next" of docs/protocol.md, in every combination of what the table can tell apart.
import { describe, expect, it } from 'vitest';
import { newShard, type Shard } from '../../shared/domain/shard.ts';
import { next, type Known, type Next } from '../../shared/domain/switch-machine.ts';
import { turnOf, type Switch, type SwitchState } from '../../shared/domain/switch.ts';
import { readPage, sections, tableRows } from '../docs/markdown.ts';
import { BLOCKED, NOW, switchIn } from './switch-in.ts';

const STATES: readonly SwitchState[] = [
  'pending-verification',
  'preparing',
  're-protecting',
  'rolling-back',
  'completed',
  'cancelled',
];

/** How the shards of a keyring may stand, for the turn that the switch is in. */
const SHARDS = {
  done: (done: Shard) => [done, done],
  'work left': (done: Shard) => [{ ...done, phase: 'verify' }, done],
  'another turn': (done: Shard) => [{ ...done, generation: done.generation - 1 }, done],
  'no row': (done: Shard) => [undefined, done],
  'counts differ': (done: Shard) => [done, { ...done, live: 2, at: { [done.writeVersion]: 1, [done.fromVersion]: 1 } }],
  'fewer than none': (done: Shard) => [done, { ...done, lost: -1 }],
  uncompared: (done: Shard) => [done, { ...done, uncompared: 1 }],
  quarantined: (done: Shard) => [done, { ...done, quarantined: 1, aside: { [done.fromVersion]: 1 } }],
  'quarantined, and counts differ': (done: Shard) => [
    { ...done, quarantined: 1, aside: { [done.fromVersion]: 1 } },
    { ...done, uncompared: 1 },
  ],
  'counts of quarantined rows alone': (done: Shard) => [done, { ...done, aside: { [done.fromVersion]: 1 } }],
} as const satisfies Record<string, (done: Shard) => NonNullable<Known['shards']>>;
type Standing = keyof typeof SHARDS;

function shardsFor(sw: Switch, standing: Standing): NonNullable<Known['shards']> {
  const turn = turnOf(sw);
  const begun = newShard({ writeVersion: turn.writeVersion, now: NOW });
  return SHARDS[standing]({ ...begun, ...turn, phase: 'done', live: 1, at: { [turn.writeVersion]: 1 } });
}

interface Case {
  readonly sw: Switch;
  readonly known: Known;
  readonly standing: Standing | undefined;
}

/** What the words of the second column say. */
const WORDS: Readonly<Record<string, (one: Case) => boolean>> = {
  unconfirmed: ({ sw }) => sw.awaitsConfirmation === true,
  blocked: ({ sw }) => sw.blocked !== undefined,
  paused: ({ sw }) => sw.paused,
  'not a re-key': ({ sw }) => sw.kind !== 'rekey',
  'seal not seen': ({ known }) => known.seal === undefined,
  'rows not read': ({ known }) => known.rows === undefined,
  'shards not seen': ({ known }) => known.shards === undefined,
  'a shard has work left': ({ standing = '' }) => ['work left', 'another turn', 'no row'].includes(standing),
  'counts of a shard do not fit': ({ standing = '' }) =>
    [
      'counts differ',
      'fewer than none',
      'uncompared',
      'quarantined, and counts differ',
      'counts of quarantined rows alone',
    ].includes(standing),
  'a row is quarantined': ({ standing }) => standing === 'quarantined',
  'tenants not seen': ({ known }) => known.tenants === undefined,
  'a tenant has not agreed': ({ known }) => known.tenants !== undefined && known.tenants > 0,
  'proof not seen': ({ known }) => known.proof === undefined,
  'lease not seen': ({ known }) => known.lease === undefined,
  'lease held': ({ known }) => known.lease === 'held',
};

interface Row {
  readonly name: string;
  readonly fits: (one: Case) => boolean;
  readonly then: string;
}

const body = sections(readPage('docs/protocol.md'), 2).find(({ title }) => title === 'What comes next')?.body ?? '';
const ROWS: readonly Row[] = tableRows(body).map(([states = '', words = '', then = '']) => {
  const named: readonly string[] =
    states === 'any' ? STATES : states.split(', ').map((name) => name.replaceAll('`', ''));
  const conditions = words === '' ? [] : words.split(', ').map(conditionOf);
  return {
    name: `${states}${words && `, ${words}`}`,
    fits: (one) => named.includes(one.sw.state) && conditions.every((holds) => holds(one)),
    then,
  };
});

function conditionOf(word: string): (one: Case) => boolean {
  const holds = WORDS[word];
  if (!holds) throw new Error(`docs/protocol.md says "${word}", which means nothing here`);
  return holds;
}

/** Every way in which one thing more can stand. */
const vary = <T, U>(cases: readonly T[], ways: (one: T) => readonly U[]): readonly U[] => cases.flatMap(ways);

const YES_NO = [true, false];
const SWITCHES = vary(
  vary(
    vary(
      vary(
        STATES.map((state) => switchIn(state)),
        (sw) => [sw, { ...sw, kind: 'rekey', target: sw.source } as const],
      ),
      (sw) => [sw, { ...sw, blocked: BLOCKED }],
    ),
    (sw) => YES_NO.map((paused) => ({ ...sw, paused })),
  ),
  (sw): readonly Switch[] => [sw, { ...sw, awaitsConfirmation: true }],
);
const STANDINGS: readonly (Standing | undefined)[] = [undefined, ...(Object.keys(SHARDS) as Standing[])];
const KNOWN = vary(
  vary(
    vary(
      vary([{}, { seal: 'good' } as const], (known) => [known, { ...known, rows: 'read' } as const]),
      (known) => [known, { ...known, tenants: 0 }, { ...known, tenants: 2 }],
    ),
    (known) => [known, { ...known, proof: 'good' } as const],
  ),
  (known): readonly Known[] => [known, { ...known, lease: 'free' }, { ...known, lease: 'held' }],
);
const CASES: readonly Case[] = vary(SWITCHES, (sw) =>
  vary(STANDINGS, (standing) =>
    KNOWN.map((known) => ({
      sw,
      standing,
      known: standing === undefined ? known : { ...known, shards: shardsFor(sw, standing) },
    })),
  ),
);

/** As the last column of the table says it. */
function inWords(then: Next): string {
  if (then.type === 'ask') return `look: ${then.what}`;
  if (then.type === 'wait') return `wait: ${then.for}`;
  return then.type === 'step' ? `step: ${then.step}` : then.type;
}

const firstRow = (one: Case): number => ROWS.findIndex(({ fits }) => fits(one));
const casesByRow = Map.groupBy(CASES, firstRow);

describe('what comes next for a switch', () => {
  it.each(ROWS.map(({ name, then }, index) => [name, then, index] as const))('%s: %s', (_name, then, index) => {
    const cases = casesByRow.get(index) ?? [];
    expect(cases.length).toBeGreaterThan(0);
    const others = cases.filter(({ sw, known }) => inWords(next(sw, known)) !== then);
    expect(others.slice(0, 1)).toEqual([]);
  });

  it('is in the table for every switch, whatever is known of it', () => {
    expect(casesByRow.get(-1)).toBeUndefined();
  });

  it('is told in words that are all in the table', () => {
    const told = tableRows(body).flatMap(([, words = '']) => words.split(', '));
    expect(Object.keys(WORDS).filter((word) => !told.includes(word))).toEqual([]);
  });
});

it('what is to be looked at says to which step it leads', () => {
  const asking = STATES.map((state) => next(switchIn(state), {}));
  expect(asking.map((then) => (then.type === 'ask' ? then.step : then.type))).toEqual([
    'begin',
    'prepare',
    'commit',
    'roll-back',
    'ended',
    'ended',
  ]);
});

it.each([
  ['work left', 'fan-out', [0]],
  ['no row', 'fan-out', [0]],
  ['counts differ', 'counts-differ', [1]],
] as const)('names the shards: %s', (standing, type, shards) => {
  const sw = switchIn('rolling-back');
  const then = next(sw, { seal: 'good', rows: 'read', shards: shardsFor(sw, standing) });
  expect(then).toEqual({ type, shards });
});
