// Looks at every write to a data key's partition as it is committed: does each row still open to the same bytes, under a version that
// there is; are the counts exact; do generations only grow. Straight into the stored rows, with the vaults' private keys: it costs
// no call of a port and changes nothing.
import { unwrapDataKey } from '../../shared/domain/data-key-blob.ts';
import type { DataKey } from '../../shared/domain/data-key.ts';
import { readDataKey, readShard } from '../../shared/store/rows/data-rows.ts';
import { SHARD_ROW_KEY, type Shard } from '../../shared/domain/shard.ts';
import type { VersionCounts } from '../../shared/domain/shard-counts.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import type { CompanyKeys, History } from './history.ts';

interface Facts {
  readonly state: DataKey['state'];
  readonly version: number;
  readonly purgeAfter: string;
  readonly previousVersion: number;
}

const COUNTED = ['live', 'deleted', 'quarantined'] as const;

export class DataCheck {
  readonly #store: FakeTables;
  readonly #keys: CompanyKeys;
  readonly #history: History;
  readonly #rows = new Map<string, Map<string, Facts>>();
  readonly shards = new Map<string, Shard>();

  constructor(store: FakeTables, keys: CompanyKeys, history: History) {
    this.#store = store;
    this.#keys = keys;
    this.#history = history;
  }

  /** Called after each transaction, with the row keys that it touched. */
  written(partition: string, rowKeys: readonly string[], now: string): void {
    const shard = this.#store.peek('datakeys', partition, SHARD_ROW_KEY);
    if (shard) this.#checkShard(partition, readShard(shard.cells));
    for (const rowKey of rowKeys) {
      if (!rowKey.startsWith('!')) this.#checkRow(partition, rowKey, now);
    }
    this.#checkCounts(partition);
  }

  /** A row was changed behind everybody's back: it is taken as it is. */
  retake(partition: string, keyId: string): void {
    const row = this.#store.peek('datakeys', partition, keyId);
    if (row) this.#rowsOf(partition).set(keyId, factsOf(readDataKey(keyId, row.cells)));
  }

  /** Ids of rows whose version is this, lost ones, tombstones and relabelled ones apart. */
  rowsAt(version: number): string[] {
    return this.all().flatMap(([keyId, facts]) =>
      facts.version === version && facts.state !== 'lost' && facts.state !== 'tombstone' ? [keyId] : [],
    );
  }

  all(): [string, Facts][] {
    return [...this.#rows.values()].flatMap((rows) => [...rows]);
  }

  #rowsOf(partition: string): Map<string, Facts> {
    const rows = this.#rows.get(partition) ?? new Map<string, Facts>();
    this.#rows.set(partition, rows);
    return rows;
  }

  #checkShard(partition: string, shard: Shard): void {
    const before = this.shards.get(partition);
    this.shards.set(partition, shard);
    if (!before) return;
    if (shard.generation < before.generation) {
      this.#history.broken('3', `${partition} went from generation ${before.generation} back to ${shard.generation}`);
    }
    if (shard.generation === before.generation && before.phase === 'done' && shard.phase !== 'done') {
      this.#history.broken('3', `${partition} is no longer done in generation ${shard.generation}`);
    }
    if (shard.generation === before.generation && shard.writeVersion !== before.writeVersion) {
      this.#history.broken('3', `${partition} writes under another version in the same generation`);
    }
  }

  #checkRow(partition: string, keyId: string, now: string): void {
    const broken = (invariant: string, what: string): void => this.#history.broken(invariant, what);
    const rows = this.#rowsOf(partition);
    const before = rows.get(keyId);
    const stored = this.#store.peek('datakeys', partition, keyId);
    if (!stored) {
      broken('1', `the row of ${keyId} is gone`);
      return;
    }
    const key = readDataKey(keyId, stored.cells);
    rows.set(keyId, factsOf(key));
    const tampered = this.#history.tampered.has(keyId);
    if (key.state === 'tombstone') {
      if (before?.state !== 'deleted' || before.purgeAfter > now) broken('1', `${keyId} was purged too soon`);
      if (key.blob.length > 0 || key.previous.length > 0) broken('7', `the tombstone of ${keyId} has a blob`);
      return;
    }
    if (before?.state === 'tombstone') broken('1', `${keyId} rose from its tombstone`);
    if (key.state === 'lost') {
      if (before?.state !== 'quarantined' && before?.state !== 'lost') broken('1', `${keyId} was given up unasked`);
      if (before?.state === 'quarantined' && this.#opensAnyhow(key)) broken('1', `${keyId} was given up, and opens`);
      return;
    }
    if (key.state === 'quarantined' && !this.#history.everTampered.has(keyId)) {
      broken('1', `${keyId} was quarantined (${String(key.quarantineReason)}), and nobody had touched it`);
    }
    if (tampered) return;
    const shard = this.shards.get(partition);
    if (key.companyKeyVersion !== before?.version && key.companyKeyVersion !== shard?.writeVersion) {
      broken(
        '3',
        `${keyId} was written at ${key.companyKeyVersion}, its shard writes at ${String(shard?.writeVersion)}`,
      );
    }
    this.#mustOpen(key);
  }

  #mustOpen(key: DataKey): void {
    const { keyId } = key;
    const opened = this.open(key, key.companyKeyVersion, key.blob);
    if (opened === undefined) {
      this.#history.broken('1', `${keyId} does not open under version ${key.companyKeyVersion}`);
      return;
    }
    const first = this.#history.plaintexts.get(keyId);
    if (first === undefined) this.#history.plaintexts.set(keyId, opened);
    else if (first !== opened) this.#history.broken('1', `${keyId} opens to other bytes than at first`);
    if (key.previous.length === 0) return;
    if (this.open(key, key.previousVersion, key.previous) !== opened) {
      this.#history.broken('1', `what ${keyId} was before its re-protection does not open to the same bytes`);
    }
  }

  #opensAnyhow(key: DataKey): boolean {
    const blobs = [key.blob, key.previous];
    return [...this.#keys.keys()].some((version) => blobs.some((blob) => this.open(key, version, blob) !== undefined));
  }

  open(key: DataKey, version: number, blob: Uint8Array): string | undefined {
    const companyKey = this.#keys.get(version);
    const context = { companyId: COMPANY, keyringId: KEYRING, keyId: key.keyId, companyKeyVersion: version };
    return companyKey && unwrapDataKey({ companyKey, context, blob })?.toString('hex');
  }

  #checkCounts(partition: string): void {
    const shard = this.shards.get(partition);
    if (!shard) return;
    const counts = { live: 0, deleted: 0, quarantined: 0, lost: 0, tombstone: 0, uncompared: 0 };
    const at = new Map<string, number>();
    for (const { state, version, previousVersion } of this.#rowsOf(partition).values()) {
      counts[state] += 1;
      if (state === 'lost' || state === 'tombstone') continue;
      const where = state === 'quarantined' ? `aside ${version}` : `at ${version}`;
      at.set(where, (at.get(where) ?? 0) + 1);
      if (state !== 'quarantined' && previousVersion !== 0) counts.uncompared += 1;
    }
    for (const name of [...COUNTED, 'lost', 'uncompared'] as const) {
      if (shard[name] !== counts[name]) {
        this.#history.broken('4', `${partition} counts ${shard[name]} ${name}, there are ${counts[name]}`);
      }
    }
    this.#checkVersions(partition, shard, at);
  }

  /** Whoever relabels a row makes the counts of two versions wrong by one each, until somebody recounts. */
  #checkVersions(partition: string, shard: Shard, at: ReadonlyMap<string, number>): void {
    const counted = new Map<string, number>([
      ...Object.entries(shard.at).map(([version, count]) => [`at ${version}`, count] as const),
      ...Object.entries(shard.aside).map(([version, count]) => [`aside ${version}`, count] as const),
    ]);
    let wrong = 0;
    for (const where of new Set([...at.keys(), ...counted.keys()])) {
      wrong += Math.abs((at.get(where) ?? 0) - (counted.get(where) ?? 0));
    }
    const sum = (counts: VersionCounts): number => Object.values(counts).reduce((all, count) => all + count, 0);
    if (sum(shard.at) !== shard.live + shard.deleted || sum(shard.aside) !== shard.quarantined) {
      this.#history.broken('4', `${partition} counts other rows by version than in all`);
    }
    if (wrong > 2 * (this.#history.relabelled.get(partition) ?? 0)) {
      const versions = JSON.stringify([...counted]);
      this.#history.broken('4', `${partition} counts ${versions}, there are ${JSON.stringify([...at])}`);
    }
    if (shard.generation > 0 && shard.phase === 'done' && !this.#history.relabelled.has(partition)) {
      const { writeVersion, uncompared } = shard;
      const elsewhere = [...at.keys()].filter((where) => where.startsWith('at ') && where !== `at ${writeVersion}`);
      if (elsewhere.length > 0) this.#history.broken('3', `${partition} is done, and has rows ${elsewhere.join()}`);
      if (uncompared > 0) this.#history.broken('3', `${partition} is done, and ${uncompared} rows are not compared`);
    }
  }
}

const factsOf = ({ state, companyKeyVersion, purgeAfter, previousVersion }: DataKey): Facts => ({
  state,
  version: companyKeyVersion,
  purgeAfter: purgeAfter ?? '',
  previousVersion,
});
