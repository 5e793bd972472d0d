// What any process saw denied, as every process knows it within seconds, also one that cannot reach the vault itself. The tables hold a row for each
// connection whose vault denies (store/rows/denial-rows.ts); all of them are read as one range, never for one unwrap.
import type { ConnectionPlace } from '../../domain/connection.ts';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Clock, Log } from '../../domain/ports.ts';
import { ok } from '../../domain/result.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { find, list, type Found } from '../../store/found.ts';
import { changeOnce } from '../../store/act.ts';
import { insertIfAbsent } from '../../store/insert-if-absent.ts';
import { denialRow, everyDenial, type Denial } from '../../store/rows/denial-rows.ts';
import type { Tables } from '../../store/tables.ts';

/** So old the list may be that a process goes by, and so often a process that has keys reads it. */
export const DENIALS_AGE_MS = 5_000;
/** Connections whose denial this process has just written. */
const MAX_NOTED = 10_000;
/** A row that is older is written anew when the vault denies again: keys may have been opened in between, and every process must drop them. */
const RENEW_AFTER_MS = 10_000;

interface Listed {
  /** By the steady clock: what was listed before is in it. */
  readonly asOfMs: number;
  /** By `denialName`. */
  readonly rows: ReadonlyMap<string, Found<Denial>>;
}

/** A cache of keys that vaults have opened. */
export interface KeyHolder {
  /** Whether a key may be in memory: for so long this process must learn of denials. */
  readonly holdsKeys: boolean;
  /** Told of connections (`denialName`) that were not listed before, before the list that has them is answered. */
  forget(denied: ReadonlySet<string>): void;
}

export const denialName = ({ companyId, connectionId }: ConnectionPlace): string => `${companyId}|${connectionId}`;

/** The companies of these denials. */
export const companiesOf = (denied: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(Array.from(denied, (name) => name.slice(0, name.indexOf('|'))));

export class Denials {
  readonly #deps: { readonly tables: Tables; readonly clock: Clock; readonly log: Log };
  readonly #listed: ExpiringCache<Listed>;
  readonly #noted: ExpiringCache<true>;
  readonly #failed: ExpiringCache<true>;
  readonly #holders: KeyHolder[] = [];
  /** The ETag of each row as it was last seen: a row that is written anew is news. */
  #seen: ReadonlyMap<string, string> = new Map();

  constructor(deps: { readonly tables: Tables; readonly clock: Clock; readonly log: Log }) {
    this.#deps = deps;
    this.#listed = new ExpiringCache(deps.clock, { ttlMs: DENIALS_AGE_MS, maxEntries: 1 });
    this.#noted = new ExpiringCache(deps.clock, { ttlMs: DENIALS_AGE_MS, maxEntries: MAX_NOTED });
    this.#failed = new ExpiringCache(deps.clock, { ttlMs: DENIALS_AGE_MS, maxEntries: MAX_NOTED });
  }

  /** Every cache of keys of this process. */
  hold(...holders: readonly KeyHolder[]): void {
    this.#holders.push(...holders);
  }

  /** Whether this process must learn of denials: callers' keys, and those of a worker that serves no caller. */
  get areNeeded(): boolean {
    return this.#holders.some(({ holdsKeys }) => holdsKeys);
  }

  /** All that are listed: reads them if this process knows only an older list. Throws StoreUnavailable. */
  async look(): Promise<Listed> {
    const read = await this.#listed.get('', async () => ok(await this.#read()));
    return read.ok ? read.value : read.error;
  }

  /** The row of a connection that is denied, as it is now. Throws StoreUnavailable. */
  find(place: ConnectionPlace): Promise<Found<Denial> | undefined> {
    return find(this.#deps.tables, denialRow, place);
  }

  /**
   * Lists a connection that has just been denied, and drops what this process has of it. `again`: written anew if it is listed from before, and not
   * tried for some seconds after it failed, as for an unwrap, of which there are many. Callers at once share one write. Throws StoreUnavailable.
   */
  async add(place: ConnectionPlace, code: string, { again }: { readonly again: boolean }): Promise<void> {
    const name = denialName(place);
    if (again && this.#failed.peek(name)) return;
    await this.#noted.get(name, async () => {
      this.#failed.keep(name, true);
      await this.#write(place, code, again);
      this.#failed.forget(name);
      return ok(true);
    });
  }

  async #write(place: ConnectionPlace, code: string, again: boolean): Promise<void> {
    const { tables, clock } = this.#deps;
    const now = clock.now();
    const denial = { code, deniedAt: now.toISOString() };
    const held = await this.find(place);
    if (held) {
      // A date to come is of a clock that is ahead, or forged: it keeps no denial from the others.
      if (!again || Math.abs(now.getTime() - Date.parse(held.value.deniedAt)) < RENEW_AFTER_MS) return;
      // A lost race: another process has written it, or has lifted it after a look that may be older than this denial.
      await changeOnce(this.#deps, (tx) => void tx.replace(held, denial));
    }
    const isListed = await insertIfAbsent(tables, denialRow, place, denial);
    if (!isListed) throw new StoreUnavailable('a denial could not be written');
    this.#deps.log.write({ level: 'warning', event: 'vault.denial-listed', detail: { ...place, code } });
    this.#listed.forget('');
    await this.look();
  }

  /**
   * Takes off a row that was found before a look at the vault that went well. One that was written since stays. After a lost answer it is still listed,
   * or not: the next look finds it.
   */
  async lift(found: Found<Denial>): Promise<void> {
    await changeOnce(this.#deps, (tx) => {
      tx.delete(found);
    });
    this.#listed.forget('');
  }

  async #read(): Promise<Listed> {
    const asOfMs = this.#deps.clock.steadyMs();
    const listed = await list(this.#deps.tables, everyDenial, {});
    const rows = new Map(listed.map((row) => [denialName(row.place), row]));
    const news = new Set<string>();
    for (const [name, { etag }] of rows) if (this.#seen.get(name) !== etag) news.add(name);
    this.#seen = new Map(Array.from(rows, ([name, { etag }]) => [name, etag]));
    if (news.size > 0) for (const holder of this.#holders) holder.forget(news);
    return { asOfMs, rows };
  }
}
