// Walks the agenda in slices. A timer works for a limited time and stores where it stopped; the next slice goes on there, on any instance.
// Items are looked at side by side and independently: a slow or failing one holds up no other (invariant A26).
import { count, text } from './rows/cells.ts';
import {
  agendaRowKey,
  allBuckets,
  pageOfAgenda,
  type AgendaItem,
  type AgendaKind,
  type ListedAgendaItem,
} from './agenda.ts';
import { type RowWrite, type Tables } from './tables.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { Clock, Log } from '../domain/ports.ts';

export interface Walking {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Slice {
  readonly kind: AgendaKind;
  /** Whose place it is, where several walk the items of one kind; by default the kind's. */
  readonly walker?: string;
  /** How many items are looked at side by side. */
  readonly lanes?: number;
  /** After this much time no further item is begun. */
  readonly budgetMs?: number;
}

export interface Walked {
  readonly looked: number;
  /** What the looks answered, added up. */
  readonly sum: number;
  /** False if time ran out first: the next slice goes on from there. */
  readonly whole: boolean;
}

/** For each job. All jobs of a timer one after the other stay far below `functionTimeout` in host.json (a test adds them up). */
export const SLICE_MS = 30_000;
const LANES = 8;
const PAGE_ITEMS = 100;
/** How often the cursor is stored: a slice that dies loses at most this much of its way. */
const KEEP_CURSOR_EVERY_MS = 10_000;
const CURSORS = 'cursors';

interface Position {
  readonly bucket: number;
  /** Row key of the last item that was begun; empty at the beginning of the bucket. */
  readonly after: string;
}

interface Placed {
  readonly item: ListedAgendaItem;
  readonly position: Position;
}

/**
 * Looks at items of one kind, each at most once, from where the last slice ended and once around. An error in listing a bucket, mostly
 * StoreUnavailable, is thrown after all other buckets are done.
 */
export async function walkAgenda(
  deps: Walking,
  slice: Slice,
  look: (item: ListedAgendaItem) => Promise<number>,
): Promise<Walked> {
  const deadlineMs = deps.clock.now().getTime() + (slice.budgetMs ?? SLICE_MS);
  const isOver = (): boolean => deps.clock.now().getTime() >= deadlineMs;
  const cursor = await Cursor.load(deps, slice.kind, slice.walker);
  const round = new Round(deps.tables, slice.kind, cursor.position);
  const walked = { looked: 0, sum: 0, whole: true };
  const items = round.items();
  const work = async (): Promise<void> => {
    for (;;) {
      // However slow the store is, each slice looks at one item at least.
      if (walked.looked > 0 && isOver()) {
        walked.whole = false;
        return;
      }
      const next = await items.next();
      if (next.done) return;
      const { item, position } = next.value;
      await cursor.moved(position);
      walked.looked += 1;
      const answer = await lookAlone(deps.log, item, () => look(item));
      walked.sum += answer ?? 0;
    }
  };
  await Promise.all(Array.from({ length: slice.lanes ?? LANES }, work));
  if (!walked.whole) await cursor.keep();
  if (round.failure !== undefined) throw round.failure;
  return walked;
}

/**
 * Looks at one item by itself: an unreadable row or a store that is away must not hold up the other items or end the process by an unhandled
 * rejection. Undefined if the look failed, which is logged; the item stays on the agenda, and the timer looks again at its next turn.
 */
export async function lookAlone<T>(log: Log, item: AgendaItem, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const { kind, companyId: company, id } = item;
    const detail = { kind, company, item: id, error: error instanceof Error ? error.name : 'unknown' };
    log.write({ level: 'error', event: 'agenda.look-failed', detail });
    return undefined;
  }
}

/** Once around the buckets: from a position to the end, and from the beginning to that position. */
class Round {
  readonly #tables: Tables;
  readonly #kind: AgendaKind;
  readonly #from: Position;
  /** The error that kept a bucket from being listed. */
  failure: Error | undefined;

  constructor(tables: Tables, kind: AgendaKind, from: Position) {
    this.#tables = tables;
    this.#kind = kind;
    this.#from = from;
  }

  async *items(): AsyncGenerator<Placed, undefined> {
    const { bucket: first, after } = this.#from;
    for (let step = 0; step < allBuckets.length; step += 1) {
      const bucket = (first + step) % allBuckets.length;
      yield* this.#bucket({ bucket, after: step === 0 ? after : '' });
    }
    if (after !== '') yield* this.#bucket({ bucket: first, after: '' }, after);
    return undefined;
  }

  /** `upTo`: the last row key, inclusive. */
  async *#bucket({ bucket, after }: Position, upTo?: string): AsyncGenerator<Placed, undefined> {
    let continuation: string | undefined;
    do {
      const page = await this.#page({ bucket, after, ...(continuation === undefined ? {} : { continuation }) });
      for (const item of page?.items ?? []) {
        const position = { bucket, after: agendaRowKey(item) };
        if (upTo !== undefined && position.after > upTo) return undefined;
        yield { item, position };
      }
      continuation = page?.continuation;
    } while (continuation !== undefined);
    return undefined;
  }

  async #page(
    at: Position & { readonly continuation?: string },
  ): Promise<Awaited<ReturnType<typeof pageOfAgenda>> | undefined> {
    const bucket = allBuckets[at.bucket] ?? '';
    try {
      return await pageOfAgenda(this.#tables, { ...at, bucket, kind: this.#kind, limit: PAGE_ITEMS });
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error('the agenda could not be listed');
      return undefined;
    }
  }
}

/** Where the last slice of a kind ended. Only a hint: without it, or with an old one, a slice still looks at all items. */
class Cursor {
  readonly #deps: Walking;
  readonly #walker: string;
  #etag: string | undefined;
  #keptAtMs: number;
  position: Position;

  private constructor(deps: Walking, walker: string, kept: { readonly position: Position; readonly etag?: string }) {
    this.#deps = deps;
    this.#walker = walker;
    this.position = kept.position;
    this.#etag = kept.etag;
    this.#keptAtMs = deps.clock.now().getTime();
  }

  static async load(deps: Walking, kind: AgendaKind, walker: string = kind): Promise<Cursor> {
    const row = await orNothing(() => deps.tables.read('agenda', CURSORS, walker));
    const bucket = row && count(row.cells, 'bucket');
    const after = row && text(row.cells, 'after');
    const isBucket = bucket !== undefined && bucket < allBuckets.length;
    const position = isBucket && after?.startsWith(`${kind}|`) ? { bucket, after } : { bucket: 0, after: '' };
    return new Cursor(deps, walker, { position, ...(row ? { etag: row.etag } : {}) });
  }

  async moved(position: Position): Promise<void> {
    this.position = position;
    if (this.#deps.clock.now().getTime() - this.#keptAtMs >= KEEP_CURSOR_EVERY_MS) await this.keep();
  }

  /** A lost race is harmless: another instance walks the same items. So is a store that is away: the next slice starts further back. */
  async keep(): Promise<void> {
    const now = this.#deps.clock.now();
    this.#keptAtMs = now.getTime();
    const cells = { format: 1, ...this.position, at: now.toISOString() };
    const write: RowWrite =
      this.#etag === undefined
        ? { kind: 'insert', rowKey: this.#walker, cells }
        : { kind: 'replace', rowKey: this.#walker, cells, etag: this.#etag };
    const written = await orNothing(() => this.#deps.tables.write('agenda', CURSORS, [write]));
    if (written?.outcome === 'committed') this.#etag = written.etags[0];
  }
}

async function orNothing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}
