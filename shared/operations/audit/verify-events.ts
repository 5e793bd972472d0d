// Reading a chain for its check, a piece and in it a page at a time: records with the signatures of heads among them, then the markers, and the head
// once before and once after, since others go on appending. Decides nothing.
import pLimit from 'p-limit';
import { NO_HEAD, type AuditRecord, type ChainHead, type Marker, type StoredHead } from '../../domain/audit.ts';
import { ChainCheck } from '../../domain/audit-check.ts';
import type { ChainReport } from '../../domain/audit-report.ts';
import { find, rangeOf, walk, type Found, type Listed, type Loaded } from '../../store/found.ts';
import { markerRow, markersOf, recordRow, recordsOf } from '../../store/rows/audit-rows.ts';
import { MalformedRow } from '../../store/rows/cells.ts';
import { present } from '../../domain/plain-object.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Tables } from '../../store/tables.ts';
import type { Log, Sealer } from '../../domain/ports.ts';
import { loadHead } from '../../store/append.ts';
import { readContinuation, writeContinuation, type Phase, type Place } from './check-continuation.ts';
import { hasEvents } from './list-events.ts';
import { recordAt, signatures, withoutLate } from './signatures.ts';

export interface Verifying {
  readonly tables: Tables;
  readonly sealer: Pick<Sealer, 'publicKey'>;
  readonly log: Log;
}

const PAGE_ROWS = 1000;
const READS_IN_FLIGHT = 16;
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;
/** Some sixty queries: seconds, where a call may take 230. */
const MAX_ROWS_A_PIECE = 20_000;
/** A row that is looked up by itself counts as so many of a page. */
const ROWS_OF_A_READ = 10;

interface Sequenced {
  readonly sequence: number;
}

interface Chain {
  readonly companyId: string;
  /** A head that is known from elsewhere: from the log, or from an earlier check. */
  readonly known?: ChainHead;
  /** A signed head that the check begins behind: what is before it is believed. */
  readonly from?: ChainHead;
  /** Of the piece before. */
  readonly continuation?: string;
  /** The caller's subject, and the id of the call. */
  readonly asked?: { readonly by: string; readonly requestId: string };
}

/**
 * A piece of the check at most, from the beginning or from where the last piece stopped: so many rows are read, and the rest is for the next.
 * Throws StoreUnavailable.
 */
export async function verifyEvents(
  deps: Verifying,
  chain: Chain,
  { maxRows = MAX_ROWS_A_PIECE } = {},
): Promise<Result<ChainPiece, Refusal>> {
  const { companyId, continuation } = chain;
  const at = continuation === undefined ? undefined : readContinuation(continuation);
  if (continuation !== undefined && !at) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this check.' });
  }
  const before = await readableHead(deps.tables, companyId);
  if (before && !(await hasEvents(deps.tables, companyId))) return err(notFound('company', companyId));
  const check = at ? new ChainCheck(at.progress) : ChainCheck.start(before ?? NO_HEAD, chain.known, chain.from);
  const piece = new Piece(deps, companyId, { check, rowsLeft: maxRows });
  const stopped = await piece.run({ phase: at?.phase ?? 'records', after: at?.after ?? piece.firstAfter });
  if (!stopped.ok) return stopped;
  const next = stopped.value && writeContinuation({ ...stopped.value, progress: check.progress });
  const report = next === undefined ? await piece.end() : ok(check.soFar);
  if (!report.ok) return report;
  logProblems(deps.log, chain, report.value);
  return ok(next === undefined ? report.value : { ...report.value, continuation: next });
}

export interface ChainPiece extends ChainReport {
  /** Where the next piece begins; absent after the last. */
  readonly continuation?: string;
}

/** Runs the phases of a check one after the other, until all are over or enough rows were read. */
class Piece {
  readonly #deps: Verifying;
  readonly #companyId: string;
  readonly #check: ChainCheck;
  #rowsLeft: number;

  constructor(deps: Verifying, companyId: string, work: { readonly check: ChainCheck; readonly rowsLeft: number }) {
    this.#deps = deps;
    this.#companyId = companyId;
    this.#check = work.check;
    this.#rowsLeft = work.rowsLeft;
  }

  /** The row key behind which its records begin. */
  get firstAfter(): string {
    const { start } = this.#check.progress;
    const companyId = this.#companyId;
    return start === 0 ? rangeOf(recordsOf, { companyId }).after : recordRow.key({ companyId, sequence: start });
  }

  /** Where it stopped; undefined if nothing is left but the end. */
  async run(from: Place): Promise<Result<Place | undefined, Refusal>> {
    let at: Place | undefined = from;
    while (at) {
      const { phase } = at;
      const stopped = await this.#phase(at);
      if (!stopped.ok) return stopped;
      if (stopped.value !== undefined) return ok({ phase, after: stopped.value });
      at = this.#next(phase);
    }
    return ok(undefined);
  }

  async end(): Promise<Result<ChainReport, Refusal>> {
    const { tables } = this.#deps;
    const { sequence } = this.#check.progress.last;
    // What is behind the last record others have appended since; of a continuation that is made up it may be anything.
    const stretch = { after: sequence, upTo: LAST_SEQUENCE, most: this.#rowsLeft };
    const signed = await signatures(this.#deps, this.#companyId, stretch);
    if (!signed.ok) return signed;
    const most = Math.ceil(this.#rowsLeft / ROWS_OF_A_READ);
    const behind = await withoutLate(tables, this.#companyId, signed.value, most);
    return ok(this.#check.end({ signed: behind, head: await readableHead(tables, this.#companyId) }));
  }

  /** Records and markers are compared as two sets first; only if they differ is each set against the other. */
  #next(phase: Phase): Place | undefined {
    const { after } = rangeOf(markersOf, { companyId: this.#companyId });
    if (phase === 'records') return { phase: 'markers', after };
    if (phase === 'markers' && !this.#check.markersFit()) return { phase: 'compare-markers', after };
    return phase === 'compare-markers' ? { phase: 'compare-records', after: this.firstAfter } : undefined;
  }

  /** The row key at which it stopped; undefined at the end of the phase. */
  async #phase({ phase, after }: Place): Promise<Result<string | undefined, Refusal>> {
    const within = { companyId: this.#companyId };
    const how = { after, limit: PAGE_ROWS };
    const { tables } = this.#deps;
    switch (phase) {
      case 'records':
        return this.#pages(walk(tables, recordsOf, within, how), 1, (rows) => this.#records(rows));
      case 'markers':
        return this.#pages(walk(tables, markersOf, within, how), 1, (rows) => this.#markers(rows));
      case 'compare-markers':
        return this.#pages(walk(tables, markersOf, within, how), ROWS_OF_A_READ, (rows) => this.#compareMarkers(rows));
      case 'compare-records':
        return this.#pages(walk(tables, recordsOf, within, how), ROWS_OF_A_READ, (rows) => this.#compareRecords(rows));
    }
  }

  async #pages<L extends Found<unknown>>(
    pages: AsyncIterable<readonly L[]>,
    cost: number,
    look: (rows: readonly L[]) => Promise<Result<void, Refusal> | undefined>,
  ): Promise<Result<string | undefined, Refusal>> {
    for await (const rows of pages) {
      const done = await look(rows);
      if (done && !done.ok) return done;
      this.#rowsLeft -= rows.length * cost;
      const last = rows.at(-1)?.at.rowKey;
      if (this.#rowsLeft <= 0 && last !== undefined) return ok(last);
    }
    return ok(undefined);
  }

  async #records(rows: readonly Listed<Sequenced, AuditRecord | undefined>[]): Promise<Result<void, Refusal>> {
    const read = this.#check.progress.last.sequence;
    const records = rows.map(({ place: { sequence }, value: record }) => ({ sequence, record }));
    const stretch = { after: read, upTo: records.at(-1)?.sequence ?? read };
    const signed = await signatures(this.#deps, this.#companyId, stretch);
    if (!signed.ok) return signed;
    this.#check.page({ records, signed: signed.value });
    return ok(undefined);
  }

  async #markers(rows: readonly Loaded<Marker>[]): Promise<undefined> {
    const read = this.#check.progress.last.sequence;
    for (const { value: marker } of rows) {
      // Record and marker are written together: one that was appended since has its record by now.
      const isLate =
        marker.sequence > read &&
        (await recordAt(this.#deps.tables, this.#companyId, marker.sequence))?.id === marker.id;
      if (!isLate) this.#check.marker(marker);
    }
  }

  async #compareMarkers(rows: readonly Loaded<Marker>[]): Promise<undefined> {
    const markers = rows.map(({ value }) => value);
    const limit = pLimit(READS_IN_FLIGHT);
    const records = await limit.map(markers, ({ sequence }) => recordAt(this.#deps.tables, this.#companyId, sequence));
    for (const [index, marker] of markers.entries()) this.#check.compareMarker(marker, records[index]);
  }

  async #compareRecords(rows: readonly Loaded<AuditRecord | undefined>[]): Promise<undefined> {
    const companyId = this.#companyId;
    const records = rows.flatMap(({ value }) => value ?? []);
    const limit = pLimit(READS_IN_FLIGHT);
    const markers = await limit.map(records, ({ id }) => find(this.#deps.tables, markerRow, { companyId, id }));
    for (const [index, record] of records.entries()) this.#check.compareRecord(record, markers[index] !== undefined);
  }
}

/** Undefined if there is one that cannot be read. */
async function readableHead(tables: Tables, companyId: string): Promise<StoredHead | undefined> {
  try {
    return (await loadHead(tables, companyId)).value;
  } catch (error) {
    if (error instanceof MalformedRow) return undefined;
    throw error;
  }
}

/**
 * With who asked, and what they brought along of their own: a head, a beginning or a continuation that is made up makes problems that no chain has.
 * Without `given` it is the tables alone that say so.
 */
function logProblems(
  log: Log,
  { companyId, known, from, continuation, asked }: Chain,
  { problems }: ChainReport,
): void {
  const brought = Object.entries({ head: known, from, continuation }).filter(([, value]) => value !== undefined);
  const given = brought.length === 0 ? undefined : brought.map(([name]) => name).join(' ');
  for (const { code, sequence } of problems) {
    const detail = { companyId, code, sequence, ...asked, ...present({ given }) };
    log.write({ level: 'error', event: 'security.events-broken', detail });
  }
}
