// The protocol of docs/protocol.md as a model small enough to be explored whole: one keyring, a few shards, a few rows. Anybody may
// be slow, die or be repeated anywhere: each step is one read or one transaction, and nobody is obliged to take the next. What a
// transaction carries If-Match is a `fresh` mark, taken away by whoever else writes the row it was read from.
//
// Each safeguard can be switched off; protocol.test.ts holds that every one of them is needed.
import type { Model } from './explore.ts';

export interface Bounds {
  readonly shards: number;
  readonly workers: number;
  readonly committers: number;
  readonly writers: number;
  /** Hosts that prepare the same switch, each making a company key of its own. */
  readonly preparers: number;
  /** How often each may happen in one history. */
  readonly switches: number;
  readonly cancels: number;
  readonly forwards: number;
  readonly pauses: number;
  readonly deletions: number;
  /** Wrong wraps: a new blob that opens, but to other bytes. */
  readonly wrongWraps: number;
  /** Rows that somebody makes unreadable, and mends while they are in quarantine. */
  readonly tamperings: number;
  readonly readers: number;
}

/** All true: the protocol as it is. */
export interface Safeguards {
  readonly writerCarriesShard: boolean;
  readonly workerCarriesShard: boolean;
  readonly deleterCarriesShard: boolean;
  readonly generationsOnlyGoUp: boolean;
  readonly turnResetsPass: boolean;
  readonly commitReadsEtagsFirst: boolean;
  readonly commitAsksEveryShard: boolean;
  readonly commitWaitsForDecisions: boolean;
  readonly secondPass: boolean;
  readonly deletedRowsMove: boolean;
  readonly retryMovesAtOnce: boolean;
  readonly retryTakesFormerBlob: boolean;
  readonly forwardIsNewGeneration: boolean;
  readonly readerReadsAgain: boolean;
  readonly versionsNeverReused: boolean;
  readonly prepareFillsNoCache: boolean;
  readonly secondPassUnwrapsAnew: boolean;
  readonly doneOfThisGeneration: boolean;
  readonly writerAsksTheShard: boolean;
}

export const SAFE: Safeguards = {
  writerCarriesShard: true,
  workerCarriesShard: true,
  deleterCarriesShard: true,
  generationsOnlyGoUp: true,
  turnResetsPass: true,
  commitReadsEtagsFirst: true,
  commitAsksEveryShard: true,
  commitWaitsForDecisions: true,
  secondPass: true,
  deletedRowsMove: true,
  retryMovesAtOnce: true,
  retryTakesFormerBlob: true,
  forwardIsNewGeneration: true,
  readerReadsAgain: true,
  versionsNeverReused: true,
  prepareFillsNoCache: true,
  secondPassUnwrapsAnew: true,
  doneOfThisGeneration: true,
  writerAsksTheShard: true,
};

type RowState = 'live' | 'deleted' | 'quarantined' | 'lost';
interface Row {
  readonly version: number;
  readonly state: RowState;
  /** Version of the blob kept beside it; 0 if there is none. */
  readonly previous: number;
  /** The blob opens to other bytes than the key's. */
  readonly wrong: boolean;
  /** Somebody made it unreadable. */
  readonly broken: boolean;
}

type Phase = 'rewrap' | 'verify' | 'done';
interface Shard {
  readonly generation: number;
  readonly phase: Phase;
  readonly from: number;
  readonly to: number;
  readonly rows: readonly Row[];
}

/** Two of one version, made one after the other, are different keys. */
interface CompanyKey {
  readonly version: number;
  readonly material: number;
}

interface Control {
  readonly state: 'idle' | 'preparing' | 'forward' | 'back';
  readonly generation: number;
  readonly paused: boolean;
  /** The lower and higher version of the switch under way. */
  readonly lower: number;
  readonly higher: number;
  readonly active: number;
  readonly high: number;
  readonly companyKeys: readonly CompanyKey[];
}

type Action =
  | { readonly kind: 'turn'; readonly generation: number; readonly from: number; readonly to: number }
  | { readonly kind: 'row'; readonly index: number; readonly row: Row }
  | { readonly kind: 'phase'; readonly phase: Phase };

/** A worker, deleter or decider that has looked and is about to write. */
interface Plan {
  readonly shard: number;
  readonly fresh: boolean;
  readonly action: Action;
}
/** A worker's message. */
interface Message {
  readonly shard: number;
  readonly generation: number;
  readonly from: number;
  readonly to: number;
}
interface Worker {
  readonly message: Message;
  readonly plan?: Plan;
}
interface Committer {
  readonly fresh: boolean;
  readonly generation: number;
  readonly state: Control['state'];
  readonly asked: number;
  readonly keeps: number;
}
interface Writer {
  readonly shard: number;
  readonly version: number;
  readonly fresh: boolean;
}
interface Reader {
  readonly shard: number;
  readonly index: number;
  readonly version: number;
  readonly failed: boolean;
}

interface State {
  readonly control: Control;
  readonly shards: readonly Shard[];
  readonly workers: readonly (Worker | undefined)[];
  readonly committers: readonly (Committer | undefined)[];
  readonly writers: readonly (Writer | 'done' | undefined)[];
  readonly readers: readonly (Reader | undefined)[];
  /** The material that each host has made for the switch that it prepares. */
  readonly preparers: readonly (number | undefined)[];
  readonly deleter: Plan | undefined;
  readonly decider: Plan | undefined;
  /** How many company keys were ever made. */
  readonly made: number;
  /** What the callers' cache holds. Of each version the first that they met, for ever. */
  readonly callersCache: readonly CompanyKey[];
  /** A company key that the workers' cache holds though nobody unwrapped it. */
  readonly workersCache: CompanyKey | undefined;
  readonly left: Omit<Bounds, 'shards' | 'workers' | 'committers' | 'writers' | 'readers' | 'preparers'>;
}

type Step = readonly [label: string, next: State];

const FIRST_COMPANY_KEY: CompanyKey = { version: 1, material: 1 };
const FIRST_ROW: Row = { version: 1, state: 'live', previous: 0, wrong: false, broken: false };
const put = <T>(list: readonly T[], index: number, value: T): T[] =>
  list.map((old, at) => (at === index ? value : old));

function initialState(bounds: Bounds): State {
  const { switches, cancels, forwards, pauses, deletions, wrongWraps, tamperings } = bounds;
  const none = <T>(count: number): (T | undefined)[] => Array.from({ length: count }, () => undefined);
  return {
    control: {
      state: 'idle',
      generation: 0,
      paused: false,
      lower: 0,
      higher: 0,
      active: 1,
      high: 1,
      companyKeys: [FIRST_COMPANY_KEY],
    },
    shards: Array.from({ length: bounds.shards }, () => ({
      generation: 0,
      phase: 'done',
      from: 0,
      to: 1,
      rows: [FIRST_ROW],
    })),
    workers: none(bounds.workers),
    committers: none(bounds.committers),
    writers: none(bounds.writers),
    readers: none(bounds.readers),
    preparers: none(bounds.preparers),
    deleter: undefined,
    decider: undefined,
    made: 1,
    callersCache: [],
    workersCache: undefined,
    left: { switches, cancels, forwards, pauses, deletions, wrongWraps, tamperings },
  };
}

/** Somebody wrote the control rows: whoever read their ETags before has stale ones, and a prepare begins anew. */
const withControl = (state: State, control: Control): State => ({
  ...state,
  control,
  committers: state.committers.map((committer) => committer && { ...committer, fresh: false }),
  preparers: state.preparers.map(() => undefined),
});

/** Somebody wrote a shard's partition: whoever read `!shard` before has a stale ETag. */
function withShard(state: State, index: number, shard: Shard): State {
  const stale = (plan: Plan | undefined): Plan | undefined =>
    plan?.shard === index ? { ...plan, fresh: false } : plan;
  return {
    ...state,
    shards: put(state.shards, index, shard),
    workers: state.workers.map(
      (worker) => worker && (worker.plan ? { ...worker, plan: stale(worker.plan) ?? worker.plan } : worker),
    ),
    writers: state.writers.map((writer) =>
      typeof writer === 'object' && writer.shard === index ? { ...writer, fresh: false } : writer,
    ),
    deleter: stale(state.deleter),
    decider: stale(state.decider),
  };
}

function applied(shard: Shard, action: Action, safe: Safeguards): Shard {
  if (action.kind === 'phase') return { ...shard, phase: action.phase };
  if (action.kind === 'row') return { ...shard, rows: put(shard.rows, action.index, action.row) };
  const { generation, from, to } = action;
  return { ...shard, generation, from, to, phase: safe.turnResetsPass ? 'rewrap' : shard.phase };
}

function* adminSteps(state: State, safe: Safeguards): Iterable<Step> {
  const { control, left } = state;
  if (control.state === 'idle' && left.switches > 0) {
    const higher = (safe.versionsNeverReused ? control.high : control.active) + 1;
    const high = Math.max(control.high, higher);
    const next: Control = { ...control, state: 'preparing', paused: false, lower: control.active, higher, high };
    yield [
      `admin switches ${control.active} to ${higher}`,
      withControl({ ...state, left: { ...left, switches: left.switches - 1 } }, next),
    ];
  }
  if (control.state === 'preparing' && left.cancels > 0) {
    const next: Control = { ...control, state: 'idle', lower: 0, higher: 0, paused: false };
    yield [
      'admin cancels before anything is stored',
      withControl({ ...state, left: { ...left, cancels: left.cancels - 1 } }, next),
    ];
  }
  if (control.state === 'forward' && left.cancels > 0) {
    const next: Control = { ...control, state: 'back', generation: control.generation + 1, paused: false };
    yield ['admin cancels', withControl({ ...state, left: { ...left, cancels: left.cancels - 1 } }, next)];
  }
  if (control.state === 'back' && left.forwards > 0) {
    const generation = safe.forwardIsNewGeneration ? control.generation + 1 : control.generation;
    const next: Control = { ...control, state: 'forward', generation, paused: false };
    yield ['admin goes forward again', withControl({ ...state, left: { ...left, forwards: left.forwards - 1 } }, next)];
  }
  if (control.state !== 'idle' && !control.paused && left.pauses > 0) {
    yield [
      'admin pauses',
      withControl({ ...state, left: { ...left, pauses: left.pauses - 1 } }, { ...control, paused: true }),
    ];
  }
  if (control.paused) yield ['admin resumes', withControl(state, { ...control, paused: false })];
}

/** Each host that prepares makes a company key of its own; the first to store one has won. */
function* preparerSteps(state: State, safe: Safeguards): Iterable<Step> {
  const { control } = state;
  if (control.state !== 'preparing' || control.paused) return;
  for (const [index, material] of state.preparers.entries()) {
    if (material === undefined) {
      const made = state.made + 1;
      const next: State = { ...state, made, preparers: put(state.preparers, index, made) };
      const workersCache = safe.prepareFillsNoCache ? undefined : { version: control.higher, material: made };
      yield [`prepare ${index} makes company key ${control.higher}`, { ...next, workersCache }];
      continue;
    }
    const next: Control = {
      ...control,
      state: 'forward',
      generation: control.generation + 1,
      companyKeys: [...control.companyKeys, { version: control.higher, material }],
    };
    yield [`prepare ${index} stores company key ${control.higher}`, withControl(state, next)];
  }
}

const companyKeyOf = ({ companyKeys }: Control, version: number): CompanyKey | undefined =>
  companyKeys.find((key) => key.version === version);

/** Whether the workers' cache holds another key than the one that is stored. */
function hasWrongKeyAtHand({ control, workersCache }: State, version: number): boolean {
  const stored = companyKeyOf(control, version);
  return stored !== undefined && workersCache?.version === version && workersCache.material !== stored.material;
}

const directed = ({ state, lower, higher }: Control): { from: number; to: number } =>
  state === 'back' ? { from: higher, to: lower } : { from: lower, to: higher };

function* workerSteps(state: State, safe: Safeguards): Iterable<Step> {
  const { control } = state;
  for (const [index, worker] of state.workers.entries()) {
    const become = (next: Worker | undefined, base = state): State => ({
      ...base,
      workers: put(base.workers, index, next),
    });
    if (!worker) {
      if (control.state === 'idle' || control.state === 'preparing') continue;
      for (let shard = 0; shard < state.shards.length; shard += 1) {
        const message = { shard, generation: control.generation, ...directed(control) };
        yield [
          `worker ${index} takes a message for shard ${shard}, generation ${control.generation}`,
          become({ message }),
        ];
      }
      continue;
    }
    yield [`worker ${index} dies or is done`, become(undefined)];
    const { message, plan } = worker;
    if (!plan) {
      // It reads the switch too, and stops if that has moved on or is paused; but whatever it read there may be old by now.
      for (const [label, action, spent] of looks(state, message, safe)) {
        const base = spent ? { ...state, left: { ...state.left, wrongWraps: state.left.wrongWraps - 1 } } : state;
        yield [
          `worker ${index} reads shard ${message.shard}: ${label}`,
          become({ message, plan: { shard: message.shard, fresh: true, action } }, base),
        ];
      }
      continue;
    }
    if (!plan.fresh && safe.workerCarriesShard) continue;
    const shard = state.shards[plan.shard];
    if (!shard) continue;
    yield [
      `worker ${index} writes shard ${plan.shard}`,
      become({ message }, withShard(state, plan.shard, applied(shard, plan.action, safe))),
    ];
  }
}

/** What a worker that reads a shard finds to do next. */
function* looks(state: State, message: Message, safe: Safeguards): Iterable<readonly [string, Action, boolean]> {
  const shard = state.shards[message.shard];
  if (!shard) return;
  const { generation, from, to } = message;
  if (shard.generation > generation && safe.generationsOnlyGoUp) return;
  if (shard.generation !== generation) {
    yield ['turns it', { kind: 'turn', generation, from, to }, false];
    return;
  }
  if (shard.phase === 'done') return;
  const pass = shard.phase === 'rewrap' ? rewrapOf : verifyOf;
  const back = from > to;
  const wrongAtHand = hasWrongKeyAtHand(state, to);
  let pending = false;
  for (const [index, row] of shard.rows.entries()) {
    const next = pass(row, { from, to, back, wrongAtHand, safe });
    if (!next) continue;
    pending = true;
    const isWrapped = row.version === from && next.version === to && row.previous !== to;
    const wrong = next.wrong || (isWrapped && shard.phase === 'rewrap' && wrongAtHand);
    yield [
      `row ${index} to ${next.version}${next.state === 'quarantined' ? ' (quarantine)' : ''}`,
      { kind: 'row', index, row: { ...next, wrong } },
      false,
    ];
    if (shard.phase === 'rewrap' && isWrapped && state.left.wrongWraps > 0) {
      yield [`row ${index} to ${to}, wrapped wrongly`, { kind: 'row', index, row: { ...next, wrong: true } }, true];
    }
  }
  if (pending) return;
  const phase = shard.phase === 'rewrap' && safe.secondPass ? 'verify' : 'done';
  yield [phase, { kind: 'phase', phase }, false];
}

interface Pass {
  readonly from: number;
  readonly to: number;
  readonly back: boolean;
  /** The workers' cache holds another key of the target version than the one that is stored. */
  readonly wrongAtHand: boolean;
  readonly safe: Safeguards;
}

/** Undefined: the row is left alone. */
function rewrapOf(row: Row, { from, to, back, safe }: Pass): Row | undefined {
  if (row.state === 'lost') return undefined;
  if (row.state === 'deleted' && !safe.deletedRowsMove) return undefined;
  if (row.state === 'quarantined') {
    if (!back) return undefined;
    if (row.version === to) return { ...row, state: 'live' };
    return row.broken ? undefined : moved({ ...row, state: 'live' }, { from, to, safe });
  }
  if (row.version !== from) return undefined;
  if (row.broken) return { ...row, state: 'quarantined' };
  return moved(row, { from, to, safe });
}

function moved(row: Row, { from, to, safe }: Pick<Pass, 'from' | 'to' | 'safe'>): Row {
  // The blob that it came from is the truth: whoever turns round puts it back as it was.
  if (row.previous === to) return { ...row, version: to, previous: 0, wrong: false };
  return { ...row, version: to, previous: safe.secondPass ? from : 0 };
}

function verifyOf(row: Row, { from, to, back, wrongAtHand, safe }: Pass): Row | undefined {
  if (row.state === 'lost' || row.state === 'quarantined' || row.version !== to) return undefined;
  if (row.previous === 0) return row.broken && !back ? { ...row, state: 'quarantined' } : undefined;
  if (row.broken) return { ...row, state: 'quarantined' };
  // The key that wrapped it wrongly opens it rightly: only the one that is stored tells.
  if (row.wrong && safe.secondPassUnwrapsAnew && !wrongAtHand) {
    return { ...row, state: 'quarantined', version: from, previous: 0, wrong: false };
  }
  return { ...row, previous: 0 };
}

function* committerSteps(state: State, safe: Safeguards): Iterable<Step> {
  const { control } = state;
  for (const [index, committer] of state.committers.entries()) {
    const become = (next: Committer | undefined, base = state): State => ({
      ...base,
      committers: put(base.committers, index, next),
    });
    if (!committer) {
      if (control.state === 'idle' || control.state === 'preparing' || control.paused) continue;
      const asked = safe.commitAsksEveryShard ? 0 : 1;
      const next = {
        fresh: true,
        generation: control.generation,
        state: control.state,
        asked,
        keeps: directed(control).to,
      };
      yield [`committer ${index} reads the control rows, generation ${control.generation}`, become(next)];
      continue;
    }
    yield [`committer ${index} dies or gives up`, become(undefined)];
    const shard = state.shards[committer.asked];
    if (shard) {
      const isOfThisGeneration = shard.generation === committer.generation || !safe.doneOfThisGeneration;
      const isDone = isOfThisGeneration && shard.phase === 'done';
      const isDecided = !safe.commitWaitsForDecisions || !shard.rows.some((row) => row.state === 'quarantined');
      if (isDone && isDecided)
        yield [
          `committer ${index} finds shard ${committer.asked} done`,
          become({ ...committer, asked: committer.asked + 1 }),
        ];
      continue;
    }
    if (!committer.fresh && safe.commitReadsEtagsFirst) continue;
    const next: Control = {
      ...control,
      state: 'idle',
      lower: 0,
      higher: 0,
      paused: false,
      active: committer.keeps,
      companyKeys: control.companyKeys.filter(({ version }) => version === committer.keeps),
    };
    const label = committer.state === 'forward' ? 'commits' : 'ends the cancel';
    yield [`committer ${index} ${label}: company key ${committer.keeps} stays`, withControl(become(undefined), next)];
  }
}

function* callerSteps(state: State, safe: Safeguards): Iterable<Step> {
  for (const [index, writer] of state.writers.entries()) {
    const become = (next: Writer | 'done' | undefined, base = state): State => ({
      ...base,
      writers: put(base.writers, index, next),
    });
    if (writer === 'done') continue;
    if (!writer) {
      for (const [at, shard] of state.shards.entries()) {
        const version = safe.writerAsksTheShard ? shard.to : state.control.active;
        yield [
          `writer ${index} reads shard ${at}: write version ${version}`,
          become({ shard: at, version, fresh: true }),
        ];
      }
      continue;
    }
    yield [`writer ${index} looks again`, become(undefined)];
    const shard = state.shards[writer.shard];
    if (!shard || (!writer.fresh && safe.writerCarriesShard)) continue;
    const rows = [...shard.rows, { ...FIRST_ROW, version: writer.version }];
    yield [
      `writer ${index} inserts a key at ${writer.version}`,
      become('done', withShard(state, writer.shard, { ...shard, rows })),
    ];
  }
  yield* deleterSteps(state, safe);
  yield* readerSteps(state, safe);
}

/** Deletes and restores: merges that keep the row's version as it was read. */
function* deleterSteps(state: State, safe: Safeguards): Iterable<Step> {
  const { deleter, left } = state;
  if (deleter) {
    yield ['deleter gives up', { ...state, deleter: undefined }];
    const shard = state.shards[deleter.shard];
    if (!shard || (!deleter.fresh && safe.deleterCarriesShard)) return;
    yield [
      'deleter writes',
      { ...withShard(state, deleter.shard, applied(shard, deleter.action, safe)), deleter: undefined },
    ];
    return;
  }
  if (left.deletions === 0) return;
  for (const [at, shard] of state.shards.entries()) {
    for (const [index, row] of shard.rows.entries()) {
      if (row.state !== 'live' && row.state !== 'deleted') continue;
      const next: Row = { ...row, state: row.state === 'live' ? 'deleted' : 'live' };
      const plan: Plan = { shard: at, fresh: true, action: { kind: 'row', index, row: next } };
      const label = row.state === 'live' ? 'deletes' : 'restores';
      yield [
        `deleter reads row ${index} of shard ${at} (${label})`,
        { ...state, deleter: plan, left: { ...left, deletions: left.deletions - 1 } },
      ];
    }
  }
}

/** A reader reads the row, then the company key of its version; if that is gone, it reads the row again. */
function* readerSteps(state: State, safe: Safeguards): Iterable<Step> {
  for (const [index, reader] of state.readers.entries()) {
    const become = (next: Reader | undefined, base = state): State => ({
      ...base,
      readers: put(base.readers, index, next),
    });
    if (!reader) {
      for (const [shard, { rows }] of state.shards.entries()) {
        for (const [at, row] of rows.entries()) {
          if (row.state === 'live' && !row.broken)
            yield [
              `reader ${index} reads row ${at} of shard ${shard}`,
              become({ shard, index: at, version: row.version, failed: false }),
            ];
        }
      }
      continue;
    }
    const key = companyKeyOf(state.control, reader.version);
    const cached = state.callersCache.find(({ version }) => version === reader.version);
    if (key) {
      if (!cached) {
        const callersCache = [...state.callersCache, key].sort((a, b) => a.version - b.version);
        yield [`reader ${index} opens it, and the key is kept`, become(undefined, { ...state, callersCache })];
      } else if (cached.material === key.material) yield [`reader ${index} opens it`, become(undefined)];
      else if (!reader.failed)
        yield [`reader ${index} fails with the key it kept`, become({ ...reader, failed: true })];
      continue;
    }
    const row = state.shards[reader.shard]?.rows[reader.index];
    const again = safe.readerReadsAgain && row !== undefined && row.version !== reader.version;
    if (again) yield [`reader ${index} reads it again`, become({ ...reader, version: row.version })];
    else if (!reader.failed) yield [`reader ${index} fails`, become({ ...reader, failed: true })];
  }
}

/** Decisions on quarantined rows, and the world that makes rows unreadable and mends them. */
function* quarantineSteps(state: State, safe: Safeguards): Iterable<Step> {
  const { control, decider, left } = state;
  if (decider) {
    yield ['decider gives up', { ...state, decider: undefined }];
    const shard = state.shards[decider.shard];
    if (shard && decider.fresh) {
      yield [
        'decider writes',
        { ...withShard(state, decider.shard, applied(shard, decider.action, safe)), decider: undefined },
      ];
    }
  }
  for (const [at, shard] of state.shards.entries()) {
    for (const [index, row] of shard.rows.entries()) {
      if (!row.broken && row.state === 'live' && left.tamperings > 0) {
        const rows = put(shard.rows, index, { ...row, broken: true });
        yield [
          `somebody breaks row ${index} of shard ${at}`,
          {
            ...state,
            shards: put(state.shards, at, { ...shard, rows }),
            left: { ...left, tamperings: left.tamperings - 1 },
          },
        ];
      }
      if (row.state !== 'quarantined') continue;
      if (row.broken) {
        const rows = put(shard.rows, index, { ...row, broken: false });
        yield [
          `somebody mends row ${index} of shard ${at}`,
          { ...state, shards: put(state.shards, at, { ...shard, rows }) },
        ];
      }
      const isUnderWay = control.state === 'forward' || control.state === 'back';
      if (decider || !isUnderWay || shard.generation !== control.generation) continue;
      const plan = (next: Row): State => ({
        ...state,
        decider: { shard: at, fresh: true, action: { kind: 'row', index, row: next } },
      });
      const wrong = row.previous === 0 || !safe.retryTakesFormerBlob ? row.wrong : false;
      const retried: Row = safe.retryMovesAtOnce
        ? { ...row, state: 'live', version: shard.to, previous: 0, wrong }
        : { ...row, state: 'live' };
      if (!row.broken) yield [`decider retries row ${index} of shard ${at}`, plan(retried)];
      yield [`decider accepts the loss of row ${index} of shard ${at}`, plan({ ...row, state: 'lost' })];
    }
  }
}

function faultIn(state: State): string | undefined {
  const exists = (version: number): boolean => companyKeyOf(state.control, version) !== undefined;
  for (const [at, { rows }] of state.shards.entries()) {
    for (const [index, row] of rows.entries()) {
      if (row.state === 'lost') continue;
      const where = `row ${index} of shard ${at}`;
      if (!exists(row.version)) return `${where} is at version ${row.version}, and there is no such company key`;
      if (row.wrong && row.previous === 0) return `${where} was wrapped wrongly, and its former blob is gone`;
    }
  }
  const reader = state.readers.findIndex((one) => one?.failed);
  return reader < 0 ? undefined : `reader ${reader} was told that a key in use does not open`;
}

/** Workers are alike, and so are committers, writers and readers: who of them is where makes no difference. */
function nameOf(all: State): string {
  const { control, shards, workers, committers, writers, readers, deleter, decider, left } = all;
  const { state, generation, paused, lower, higher, active, high, companyKeys } = control;
  return [
    `${state} ${generation} ${Number(paused)} ${lower} ${higher} ${active} ${high} ${nameOfKeys(companyKeys)}`,
    ...shards.map((one) => `${one.generation} ${one.phase} ${one.from} ${one.to} ${one.rows.map(nameOfRow).join()}`),
    sortedNames(
      workers,
      ({ message, plan }) => `${message.shard} ${message.generation} ${message.to} ${nameOfPlan(plan)}`,
    ),
    sortedNames(committers, (one) => `${Number(one.fresh)} ${one.generation} ${one.state} ${one.asked} ${one.keeps}`),
    sortedNames(writers, (one) => (one === 'done' ? one : `${one.shard} ${one.version} ${Number(one.fresh)}`)),
    sortedNames(readers, (one) => `${one.shard} ${one.index} ${one.version} ${Number(one.failed)}`),
    sortedNames(all.preparers, String),
    `${all.made} ${nameOfKeys(all.callersCache)} ${nameOfKeys(all.workersCache ? [all.workersCache] : [])}`,
    nameOfPlan(deleter),
    nameOfPlan(decider),
    Object.values(left).join(),
  ].join('|');
}

function sortedNames<T>(list: readonly (T | undefined)[], name: (one: T) => string): string {
  return list
    .map((one) => (one === undefined ? '' : name(one)))
    .sort()
    .join(';');
}

const nameOfKeys = (keys: readonly CompanyKey[]): string =>
  keys.map(({ version, material }) => `${version}.${material}`).join();

const nameOfRow = (row: Row): string =>
  `${row.version}${row.state}${row.previous}${Number(row.wrong)}${Number(row.broken)}`;

function nameOfPlan(plan: Plan | undefined): string {
  if (!plan) return '';
  const { action, shard, fresh } = plan;
  const what =
    action.kind === 'turn'
      ? `${action.generation} ${action.to}`
      : action.kind === 'row'
        ? `${action.index} ${nameOfRow(action.row)}`
        : action.phase;
  return `${shard} ${Number(fresh)} ${what}`;
}

export function protocolModel(bounds: Bounds, safe: Safeguards): Model<State> {
  return {
    initial: initialState(bounds),
    name: nameOf,
    fault: faultIn,
    *steps(state) {
      yield* adminSteps(state, safe);
      yield* preparerSteps(state, safe);
      yield* workerSteps(state, safe);
      yield* committerSteps(state, safe);
      yield* callerSteps(state, safe);
      yield* quarantineSteps(state, safe);
    },
  };
}
