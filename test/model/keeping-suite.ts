// Everything that the models of kept keys, of torn copies and of counts are held to: the rules of docs/protocol.md are sound, and
// each of the other ways comes to a fault.
import { after, copies, counts, type Expectation } from './expectation.ts';

const DATA_FIRST = { order: 'data-first' } as const;
const REGION = { order: 'region' } as const;
const CALLERS_ALONE = { hasFreezingWorker: false, hasFreezingCommitter: false, writes: 1, hasReaders: true } as const;

/** What is kept, and where. */
const KEEPING: readonly Expectation[] = [
  copies('nothing is kept', 'fault', 530, { keep: 'nothing', ...DATA_FIRST }),
  copies('what is kept stays under a provider that is then left', 'fault', 387, {
    keep: 'wrapped',
    ...DATA_FIRST,
    cancels: 0,
    targets: ['B', 'C'],
  }),
  copies('the same after a cancel and one switch', 'fault', 1_411, {
    keep: 'wrapped',
    ...DATA_FIRST,
    targets: ['A', 'B'],
  }),
  copies('only the newest is kept', 'fault', 7_855, { keep: 'newest', ...DATA_FIRST }),
  copies('wrapped for the next provider too', 'sound', 19_873, { keep: 'rewrapped', ...DATA_FIRST }),
  copies('the same, and kept keys do not follow a new KEK', 'fault', 515, {
    keep: 'rewrapped',
    ...DATA_FIRST,
    follows: 1,
    keptKeysFollow: false,
  }),
  copies('kept under the company key that stays', 'sound', 19_828, DATA_FIRST),
  copies('the same with new data keys and a new KEK', 'sound', 216_751, {
    ...DATA_FIRST,
    writes: 1,
    follows: 1,
    keptKeysFollow: false,
    forwards: 0,
  }),
  copies('the same with two shards', 'sound', 210_587, {
    ...DATA_FIRST,
    shards: 2,
    forwards: 0,
    writes: 1,
    targets: ['A', 'B'],
  }),
  copies('the same with a company made anew', 'sound', 55_127, { ...DATA_FIRST, remakes: 1 }),
  copies('kept for a shorter time than a copy takes', 'fault', 997, { ...DATA_FIRST, deletesEarly: true }),
];

/** In which order partitions are copied, and whether wraps beside the shard would do instead. */
const ORDER: readonly Expectation[] = [
  copies('control is copied first', 'fault', 230, { order: 'control-first' }),
  copies('wraps beside the shard until it is done', 'fault', 738, { beside: 'until-done' }),
  copies('wraps beside the shard until the commit', 'fault', 265, { beside: 'until-commit' }),
  copies('wraps beside the shard for good, of a provider that control does not know', 'fault', 737, {
    beside: 'narrowed',
  }),
  copies('the same of a shard of several pages', 'fault', 318, { beside: 'narrowed', inPages: true, targets: ['A'] }),
  copies('control is copied first, and again at every prepare and end', 'sound', 15_608, {
    order: 'control-first',
    controlCopiedAtChanges: true,
  }),
];

/** What a switch waits for a second region with. */
const REGIONS: readonly Expectation[] = [
  copies('a region without waits', 'fault', 318, REGION),
  copies('a region, waits at the commit and at the end of a cancel', 'fault', 318, {
    ...REGION,
    waits: ['commit', 'end'],
  }),
  copies('a region, a wait at the first turn', 'sound', 88_831, { ...REGION, waits: ['prepare'], writes: 1 }),
  copies('nothing is kept, a wait at the first turn', 'fault', 643, {
    keep: 'nothing',
    ...REGION,
    waits: ['prepare'],
  }),
  copies('nothing is kept, waits at the first turn and at the commit', 'fault', 5_745, {
    keep: 'nothing',
    ...REGION,
    waits: ['prepare', 'commit'],
    writes: 1,
  }),
  copies('nothing is kept, all three waits', 'sound', 33_965, {
    keep: 'nothing',
    ...REGION,
    waits: ['prepare', 'commit', 'end'],
    writes: 1,
  }),
];

/** Life after a torn copy has become the store. */
const AFTERWARDS: readonly Expectation[] = [
  after('a region, repaired', 'sound', 358_823, {}),
  after('a region, repaired, version numbers as they were', 'sound', 331_113, { hasMargin: false }),
  after('the same with callers', 'sound', 551_060, { ...CALLERS_ALONE, hasMargin: false }),
  after('a region without waits', 'fault', 952, { waits: [] }),
  after('not repaired: stuck, the shards are generations ahead', 'fault', 1_793, { isRepaired: false }),
  after('not repaired: new keys under a kept version', 'fault', 8_932, { isRepaired: false, cancels: 0, writes: 1 }),
  after('not repaired: a frozen host writes under an ETag that has come back', 'fault', 17_303, {
    isRepaired: false,
    tolerated: 'standing-still',
    forwards: 0,
  }),
  after('repaired late: no key is lost', 'sound', 676_258, {
    isRepaired: false,
    tolerated: 'standing-still',
    ...CALLERS_ALONE,
  }),
  after('repaired late: no key is lost, although hosts froze', 'sound', 400_990, {
    isRepaired: false,
    tolerated: 'all-but-loss',
  }),
  after('not repaired, but waits everywhere and no host that freezes', 'sound', 3_559, {
    isRepaired: false,
    waits: ['prepare', 'turn', 'commit', 'end'],
    hasFreezingWorker: false,
    hasFreezingCommitter: false,
  }),
  after('kept keys go by date alone', 'fault', 6_765, { deletion: 'by-date' }),
  after('a pass does not move rows at kept versions', 'fault', 6_761, { passMovesKept: false }),
  after('a restore', 'sound', 243_724, { kind: 'restore', ...CALLERS_ALONE, forwards: 0 }),
  after('a restore, version numbers as they were: one is used twice', 'fault', 31_134, {
    kind: 'restore',
    ...CALLERS_ALONE,
    hasMargin: false,
    forwards: 0,
  }),
  after('the same, and every host is restarted', 'sound', 177_736, {
    kind: 'restore',
    ...CALLERS_ALONE,
    hasMargin: false,
    forwards: 0,
    isRestarted: true,
  }),
];

/** What the end of a pass, and of a switch, asks. */
const COUNTING: readonly Expectation[] = [
  counts('the phase alone is asked, and lists lie', 'fault', 234, { rule: 'phase-only' }),
  counts('the phase alone is asked, and lists are honest', 'sound', 82_913, { rule: 'phase-only', lies: 0 }),
  counts('as many are done as there are', 'sound', 82_913, { rule: 'movable', lies: 0 }),
  counts('the same, and lists lie: blobs that nobody compared', 'fault', 1_764, { rule: 'movable', lies: 1 }),
  counts('the same, and a row at a kept version', 'fault', 9, { rule: 'movable', lies: 0, isTorn: true }),
  counts('exact counts', 'sound', 295_542, {}),
  counts('exact counts, and a row at a kept version', 'sound', 530_547, { isTorn: true }),
];

/** The sound ones of the largest spaces, with less happening in them. */
const IN_SMALL: readonly Expectation[] = [
  after('in small: a region, repaired', 'sound', 21_980, { forwards: 0, hasFreezingCommitter: false }),
  after('in small: a restore', 'sound', 27_551, { kind: 'restore', ...CALLERS_ALONE, cancels: 0 }),
  counts('in small: exact counts', 'sound', 15_611, { inserts: 0, forwards: 0 }),
  counts('in small: exact counts, and a row at a kept version', 'sound', 12_032, {
    isTorn: true,
    lies: 1,
    inserts: 0,
    forwards: 0,
  }),
];

export const KEEPING_SUITE: readonly Expectation[] = [
  ...KEEPING,
  ...ORDER,
  ...REGIONS,
  ...AFTERWARDS,
  ...COUNTING,
  ...IN_SMALL,
];

/** Spaces up to this size are explored in every run of the tests. */
export const SMALL_STATES = 40_000;
