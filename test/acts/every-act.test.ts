// Whatever comes of one of its writes, an act is done once and recorded once: an answer is lost, others are first, the process dies. What was not
// answered is asked again, as a caller does; what was left on its way is taken on, as the timer does. Then all is as if nothing had been.
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sweepPurges } from '../../shared/operations/companies/sweep-purges.ts';
import { sweepKept } from '../../shared/operations/switches/sweep-kept.ts';
import { sweepSwitches } from '../../shared/operations/switches/sweep.ts';
import { SYSTEM_PARTITION } from '../../shared/store/rows/row-keys.ts';
import { repairStandings } from '../../shared/operations/watch/repair-standings.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { EVENT_TYPES } from '../../shared/domain/event-types.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { FaultyTables, type At, type Write } from '../fakes/faulty-tables.ts';
import { Died } from '../fakes/tables-but.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import { agendaIn, chainOf, outboxesIn } from '../operations/audit/chain.ts';
import { readPage, ROOT, sections, tableRows } from '../docs/markdown.ts';
import { ACTS, RECORDED_BY_THEMSELVES, RECORDED_EACH_TIME } from './scenes.ts';
import type { Scene } from './scene.ts';

/** When the timer comes: it takes on what has been on its way for a minute, and gives up what is nowhere after a day. */
const SWEEPS_MS = [60_000, 60_000, 86_400_000, 60_000];

const touch =
  (store: FakeTables) =>
  ({ table, partitionKey, writes }: Write): void => {
    for (const { rowKey } of writes) {
      const row = store.peek(table, partitionKey, rowKey);
      if (row) store.tamper(table, partitionKey, rowKey, row.cells);
    }
  };

const FAULTS: readonly { readonly what: string; readonly befalls: (at: At, store: FakeTables) => void }[] = [
  { what: 'its answer is lost', befalls: (at) => at.losesTheAnswer() },
  { what: 'it is lost itself', befalls: (at) => at.isLost() },
  { what: 'it arrives late, when it was looked for in vain', befalls: (at) => at.arrivesLate(3) },
  { what: 'it arrives late, as the next one is sent', befalls: (at) => at.arrivesLate(1, 'write') },
  { what: 'others touch its rows first', befalls: (at, store) => at.comesAfter(touch(store)) },
  { what: 'the process dies before it', befalls: (at) => at.dies('before') },
  { what: 'the process dies after it', befalls: (at) => at.dies('after') },
];

/** What the caller is answered, unless the process died before. */
async function toldOf({ rig, act }: Scene, tables: FaultyTables): Promise<'done' | 'refused' | 'away' | 'nothing'> {
  try {
    const told = (await act(rig.freshHost(tables))) as { readonly ok: boolean } | undefined;
    return (told?.ok ?? true) ? 'done' : 'refused';
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'away';
    if (error instanceof Died) return 'nothing';
    throw error;
  }
}

/** What is random, when it was, and which try it was of, is left out. */
const withoutChance = (text: string): string =>
  text
    .replaceAll(/"data":\[[\d,]*\]/g, 'bytes')
    // Who cancels again accepts a denial by the vault in force as well.
    .replaceAll('"denialAccepted":true', '"denialAccepted":false')
    .replaceAll(/browser call \d+/g, 'browser call')
    .replaceAll(/poisonslot\|\d+/g, 'poisonslot')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then')
    .replaceAll(/[\w-]{8}-[\w-]{4}-[\w-]{4}-[\w-]{4}-[\w-]{12}/g, 'id')
    .replaceAll(/[\w+/-]{43,}={0,2}/g, 'random');

/** Of the company, and of none. */
const recordsOf = (store: FakeTables): ReturnType<typeof chainOf> => [
  ...chainOf(store),
  ...chainOf(store, SYSTEM_PARTITION),
];

/** All rows but the record, which is looked at by itself. */
function stored(store: FakeTables): Record<string, string> {
  const rows = [...store.dump()].filter(
    ({ table, rowKey }) => table !== 'events' && !(table === 'agenda' && /^(outbox|head)\|/.test(rowKey)),
  );
  return Object.fromEntries(
    rows.map(({ table, partitionKey, rowKey, cells }) => [
      withoutChance([table, partitionKey, rowKey].join('/')),
      // How often a vault is checked is a note, which the next check mends (rounds.test.ts).
      rowKey.startsWith('check|') ? '' : withoutChance(JSON.stringify(cells)),
    ]),
  );
}

async function swept({ rig }: Scene): Promise<void> {
  for (const ms of SWEEPS_MS) {
    rig.clock.advance(ms);
    const host = rig.freshHost();
    await sweepOutboxes(host);
    await sweepSwitches(host);
    await sweepKept(host);
    await sweepPurges(host);
    await repairStandings(host);
  }
}

async function undisturbed(scene: Scene): Promise<{ readonly writes: number; readonly rows: Record<string, string> }> {
  const tables = new FaultyTables(scene.rig.store);
  expect(await toldOf(scene, tables)).toBe('done');
  await swept(scene);
  return { writes: tables.writes.length, rows: stored(scene.rig.store) };
}

const actionOf = (name: string): string => name.split(' ')[0] ?? '';

describe.each(Object.entries(ACTS))('%s', (name, makeScene) => {
  const action = actionOf(name);
  let writes: number;
  let rows: Record<string, string>;
  beforeAll(async () => {
    ({ writes, rows } = await undisturbed(await makeScene()));
    // Its way to the record on the agenda, the act with its event, the chain, and what was on its way.
    expect(writes).toBeGreaterThanOrEqual(5);
  });

  it.each(FAULTS)('is done once and recorded once where, at one of its writes, $what', async ({ befalls }) => {
    for (let nth = 1; nth <= writes; nth += 1) {
      const scene = await makeScene();
      const { store } = scene.rig;
      const tables = new FaultyTables(store);
      befalls(tables.at(nth), store);
      const told = await toldOf(scene, tables);
      expect([nth, told]).not.toEqual([nth, 'refused']);
      const isAskedAgain = told !== 'done';
      if (isAskedAgain) await toldOf(scene, new FaultyTables(store));
      await swept(scene);
      const done = recordsOf(store).filter((record) => record.action === action && record.outcome === 'done');
      const most = isAskedAgain && RECORDED_EACH_TIME.has(action) ? 2 : 1;
      expect([nth, done.length > 0 && done.length <= most]).toEqual([nth, true]);
      expect([nth, outboxesIn(store), agendaIn(store, 'outbox')]).toEqual([nth, [], []]);
      expect([nth, stored(store)]).toEqual([nth, rows]);
    }
  });
});

/** In code, and in no comment; what is only logged is left out. */
const codeOf = (path: string): string =>
  readFileSync(new URL(path, ROOT), 'utf8').replaceAll(/^ *(?:\/\/|\/?\*).*|\b(?:event|logged)(?::| =).*/gm, '');
const sourcesUnder = (folder: string): string =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => codeOf(folder + name))
    .join('\n');
const found = (text: string, name: RegExp): Set<string> => new Set([...text.matchAll(name)].map(([, one = '']) => one));

describe('the acts of the product', () => {
  const told = [...new Set([...Object.keys(ACTS).map(actionOf), ...RECORDED_BY_THEMSELVES])].toSorted();
  const sources = ['shared/operations/', 'shared/store/'].map(sourcesUnder).join('\n');

  it('that its sources name are all here, each by a name that stands there as it is', () => {
    const inFunctions = found(sourcesUnder('functions/'), /\baction: '([a-z-]+\.[a-z-]+)'/g);
    const named = new Set([...found(sources, /'([a-z-]+\.[a-z-]+)'/g), ...inFunctions]);
    // A security event is named by the code of what was found.
    expect([...found(sources, /`([a-z-]+\.)\$\{/g)]).toEqual(['security.']);
    expect([...named, 'security.row-forged'].toSorted()).toEqual(told);
  });

  it('are those that docs/audit.md names', () => {
    const named = sections(readPage('docs/audit.md'), 2)
      .flatMap(({ body }) => tableRows(body))
      .flatMap(([actions = '']) => [...found(actions, /`([a-z-]+\.[a-z-]+)`/g)]);
    expect([...new Set(named)].toSorted()).toEqual(told);
  });

  it('are those that a webhook may ask for', () => {
    expect([...EVENT_TYPES].toSorted()).toEqual(told);
  });
});
