// Looks at every write of a kept company key as it is committed: does it open under the company key that it names, to the very key that went,
// and under nothing else; is every key kept that goes; and does none go before it is certain that no row needs it.
import type { KeyObject } from 'node:crypto';
import { openKeptKey, type KeptKey } from '../../shared/domain/kept-key.ts';
import { readKeptKey } from '../../shared/store/rows/kept-rows.ts';
import type { Keyring } from '../../shared/domain/keyring.ts';
import type { Switch } from '../../shared/domain/switch.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import type { DataCheck } from './check-data.ts';
import type { History } from './history.ts';

const PREFIX = `keptkey|${KEYRING}|`;
const CELLS = JSON.stringify(['blob', 'format', 'keptAt', 'reason', 'under', 'until']);

export class KeptCheck {
  readonly #store: FakeTables;
  readonly #history: History;
  readonly #kept = new Map<number, KeptKey>();
  /** Every company key that there ever was. */
  readonly #everyKey = new Map<number, KeyObject>();
  data: DataCheck | undefined;

  constructor(store: FakeTables, history: History) {
    this.#store = store;
    this.#history = history;
  }

  met(version: number, key: KeyObject): void {
    this.#everyKey.set(version, key);
  }

  written(rowKeys: readonly string[], keyring: Keyring | undefined, nowMs: number): void {
    for (const rowKey of rowKeys) {
      if (!rowKey.startsWith(PREFIX)) continue;
      const version = Number(rowKey.slice(PREFIX.length));
      const stored = this.#store.peek('companies', COMPANY, rowKey);
      if (stored) this.#keptWritten(version, stored.cells);
      else this.#keptDeleted(version, keyring, nowMs);
    }
  }

  /** A switch has ended: the company key that it left is kept, unless somebody let it go. */
  ended(sw: Switch): void {
    const [goes, stays] = sw.state === 'completed' ? [sw.fromVersion, sw.toVersion] : [sw.toVersion, sw.fromVersion];
    const kept = this.#kept.get(goes);
    if (!kept && sw.endsWithoutKeeping !== true) this.#history.broken('1', `company key ${goes} went, and is not kept`);
    if (kept && kept.under !== stays) this.#history.broken('1', `company key ${goes} is kept under ${kept.under}`);
    for (const { version, under } of this.#kept.values()) {
      if (under !== stays && !this.#kept.has(under)) {
        this.#history.broken('1', `company key ${version} is kept under ${under}, which there is not`);
      }
    }
  }

  /** Invariant 2: under no provider's key, and so under none that was left. */
  #keptWritten(version: number, cells: Parameters<typeof readKeptKey>[0]): void {
    if (JSON.stringify(Object.keys(cells).toSorted()) !== CELLS) {
      this.#history.broken('2', `kept company key ${version} has cells ${Object.keys(cells).join()}`);
    }
    const kept = readKeptKey(cells, { companyId: COMPANY, keyringId: KEYRING, version });
    const under = kept && this.#everyKey.get(kept.under);
    const opened = kept && under && openKeptKey({ under, context: kept, blob: kept.blob });
    const was = this.#everyKey.get(version);
    if (!kept || !opened || was?.equals(opened) !== true) {
      this.#history.broken('1', `company key ${version} is kept, and does not open to what it was`);
      return;
    }
    this.#kept.set(version, kept);
  }

  #keptDeleted(version: number, keyring: Keyring | undefined, nowMs: number): void {
    const kept = this.#kept.get(version);
    this.#kept.delete(version);
    const broken = (why: string): void => this.#history.broken('1', `kept company key ${version} was deleted, ${why}`);
    if (kept && Date.parse(kept.until) > nowMs) broken(`before ${kept.until}`);
    if (keyring?.switchId !== undefined) broken('and a switch is unfinished');
    const hanging = [...this.#kept.values()].filter(({ under }) => under === version);
    if (hanging.length > 0) broken(`and ${hanging.map((one) => one.version).join()} hangs by it`);
    const rows = this.data?.rowsAt(version) ?? [];
    if (rows.length > 0) broken(`and ${rows.join()} is under it`);
    for (const [partition, shard] of this.data?.shards ?? []) {
      if (shard.phase !== 'done' || shard.generation !== keyring?.generation) broken(`and ${partition} is not done`);
    }
  }
}
