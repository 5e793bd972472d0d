import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { protocolModel, SAFE, type Bounds, type Safeguards } from './protocol.ts';

const SMALL: Bounds = {
  shards: 1,
  workers: 1,
  committers: 1,
  writers: 0,
  preparers: 1,
  switches: 1,
  cancels: 1,
  forwards: 0,
  pauses: 0,
  deletions: 0,
  wrongWraps: 0,
  tamperings: 0,
  readers: 0,
};
const MAX_STATES = 400_000;

/** Small enough for every run of the tests; `npm run model` takes larger ones. */
const WORLDS: readonly (readonly [title: string, bounds: Partial<Bounds>])[] = [
  ['two workers and a writer', { workers: 2, writers: 1 }],
  ['two shards and a writer', { shards: 2, writers: 1 }],
  ['two switches, one after the other', { switches: 2, writers: 1 }],
  ['deletes and restores', { writers: 1, deletions: 2 }],
  ['a wrong wrap, a broken row and every change of mind', { wrongWraps: 1, tamperings: 1, forwards: 1 }],
  ['pauses in between', { pauses: 1, forwards: 1, writers: 1 }],
  ['a reader throughout', { readers: 1, switches: 2 }],
  ['two prepares that race', { preparers: 2, workers: 2 }],
];

/** For each safeguard, the smallest world in which a key is lost without it. */
const NEEDED: readonly (readonly [keyof Safeguards, Partial<Bounds>])[] = [
  ['writerCarriesShard', { writers: 1 }],
  ['workerCarriesShard', { workers: 2 }],
  ['deleterCarriesShard', { deletions: 1 }],
  ['generationsOnlyGoUp', { workers: 2 }],
  ['turnResetsPass', { cancels: 0 }],
  ['commitReadsEtagsFirst', { workers: 1 }],
  ['commitAsksEveryShard', { shards: 1 }],
  ['commitWaitsForDecisions', { tamperings: 1 }],
  ['secondPass', { wrongWraps: 1 }],
  ['deletedRowsMove', { deletions: 2 }],
  ['retryMovesAtOnce', { tamperings: 1 }],
  ['retryTakesFormerBlob', { tamperings: 1, wrongWraps: 1, forwards: 1 }],
  ['forwardIsNewGeneration', { forwards: 1 }],
  ['readerReadsAgain', { readers: 1 }],
  ['versionsNeverReused', { readers: 1, switches: 2 }],
  ['prepareFillsNoCache', { preparers: 2 }],
  ['secondPassUnwrapsAnew', { wrongWraps: 1 }],
  ['doneOfThisGeneration', { workers: 0 }],
  ['writerAsksTheShard', { writers: 1 }],
];

describe('the protocol, explored whole', () => {
  it.each(WORLDS)('loses no key with %s', (_title, bounds) => {
    expect(explore(protocolModel({ ...SMALL, ...bounds }, SAFE), MAX_STATES)).toMatchObject({ outcome: 'sound' });
  });

  it('names every safeguard once', () => {
    expect(NEEDED.map(([name]) => name).sort()).toEqual(Object.keys(SAFE).sort());
  });

  it.each(NEEDED)('loses a key without %s', (name, bounds) => {
    const found = explore(protocolModel({ ...SMALL, ...bounds }, { ...SAFE, [name]: false }), MAX_STATES);
    expect(found).toMatchObject({ outcome: 'fault', trace: expect.any(Array) as unknown });
  });
});
