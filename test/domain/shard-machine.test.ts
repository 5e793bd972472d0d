// What comes next for one shard, against the table "What comes next for a shard" of docs/protocol.md, in every combination that it can tell apart.
import { describe, expect, it } from 'vitest';
import { newShard, type Shard } from '../../shared/domain/shard.ts';
import { nextForShard } from '../../shared/domain/switch-machine.ts';
import { turnOf, type Switch } from '../../shared/domain/switch.ts';
import { readPage, sections, tableRows } from '../docs/markdown.ts';
import { BLOCKED, GENERATION, NOW, switchIn } from './switch-in.ts';

interface Case {
  readonly sw: Switch | undefined;
  readonly shard: Shard | undefined;
  readonly isReadAgain: boolean;
}

const RUNNING: readonly Switch[] = [switchIn('re-protecting'), switchIn('rolling-back')];
const SWITCHES: readonly (Switch | undefined)[] = [
  undefined,
  ...(['pending-verification', 'preparing', 'completed', 'cancelled'] as const).map((state) => switchIn(state)),
  ...RUNNING.flatMap((sw) => [
    sw,
    { ...sw, paused: true },
    { ...sw, blocked: BLOCKED },
    { ...sw, generation: GENERATION - 1 },
    { ...sw, generation: GENERATION + 1 },
  ]),
];

const shardsFor = (sw: Switch): readonly (Shard | undefined)[] => {
  const turned: Shard = { ...newShard({ writeVersion: 1, now: NOW }), ...turnOf(sw), generation: GENERATION };
  const phases = (['rewrap', 'verify', 'done'] as const).map((phase) => ({ ...turned, phase }));
  return [
    undefined,
    ...phases.flatMap((shard): readonly Shard[] => [
      shard,
      { ...shard, generation: GENERATION - 1 },
      { ...shard, generation: GENERATION + 1 },
      { ...shard, direction: shard.direction === 'back' ? 'forward' : 'back' },
      { ...shard, fromVersion: 7 },
      { ...shard, writeVersion: 7 },
    ]),
  ];
};

const CASES: readonly Case[] = SWITCHES.flatMap((sw) =>
  shardsFor(sw ?? switchIn('re-protecting')).flatMap((shard) =>
    [false, true].map((isReadAgain) => ({ sw, shard, isReadAgain })),
  ),
);

const isRunningNow = (sw: Switch | undefined): boolean =>
  sw !== undefined && ['re-protecting', 'rolling-back'].includes(sw.state) && !sw.paused && !sw.blocked;

/** What the words of the first two columns say. */
const WORDS: Readonly<Record<string, (one: Case) => boolean>> = {
  'is not there, does not run, or is of another generation': ({ sw }) =>
    !isRunningNow(sw) || sw?.generation !== GENERATION,
  'was read before the shard': ({ isReadAgain }) => !isReadAgain,
  'has no row': ({ shard }) => shard === undefined,
  'is of a later generation': ({ shard }) => shard !== undefined && shard.generation > GENERATION,
  'is of an earlier generation': ({ shard }) => shard !== undefined && shard.generation < GENERATION,
  'is in another turn': ({ sw, shard }) =>
    sw !== undefined &&
    shard !== undefined &&
    (['direction', 'fromVersion', 'writeVersion'] as const).some((cell) => shard[cell] !== turnOf(sw)[cell]),
  'is done': ({ shard }) => shard?.phase === 'done',
};

const body =
  sections(readPage('docs/protocol.md'), 2).find(({ title }) => title === 'What comes next for a shard')?.body ?? '';
const ROWS = tableRows(body).map(([ofSwitch = '', ofShard = '', then = '']) => {
  const words = [ofSwitch, ofShard].filter((word) => word !== '');
  return { name: words.join(', ') || 'else', then, fits: (one: Case) => words.every((word) => WORDS[word]?.(one)) };
});

const casesByRow = Map.groupBy(CASES, (one) => ROWS.findIndex(({ fits }) => fits(one)));

describe('what comes next for a shard', () => {
  it.each(ROWS.map(({ name, then }, index) => [name, then, index] as const))('%s: %s', (_name, then, index) => {
    const cases = casesByRow.get(index) ?? [];
    expect(cases.length).toBeGreaterThan(0);
    const others = cases.filter(
      ({ sw, shard, isReadAgain }) => nextForShard(sw, shard, { generation: GENERATION, isReadAgain }) !== then,
    );
    expect(others.slice(0, 1)).toEqual([]);
  });

  it('is in the table for every switch and shard, in words that all mean something', () => {
    expect(casesByRow.get(-1)).toBeUndefined();
    const told = tableRows(body).flatMap(([ofSwitch = '', ofShard = '']) => [ofSwitch, ofShard]);
    expect(Object.keys(WORDS).filter((word) => !told.includes(word))).toEqual([]);
    expect(told.filter((word) => word !== '' && !(word in WORDS))).toEqual([]);
  });
});
