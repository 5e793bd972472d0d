// Looks at every write to the company's control state as it is committed: is every company key the same under each of its wraps, do
// both vaults open both versions while a switch runs, does nothing open with a vault that was left, is no version used twice.
import { openCompanyKey, type CompanyKeyRow } from '../../shared/domain/company-key.ts';
import type { Keyring } from '../../shared/domain/keyring.ts';
import { parseKeyId, providerName, type ProviderRef } from '../../shared/domain/provider.ts';
import { readKeyring } from '../../shared/store/rows/keyring-rows.ts';
import { readSwitch } from '../../shared/store/rows/switch-rows.ts';
import { readExportState } from '../../shared/store/rows/export-rows.ts';
import { NO_EXPORTS } from '../../shared/domain/export-state.ts';
import { exportRowKey, keyringRowKey, switchRowKey } from '../../shared/store/rows/row-keys.ts';
import { readCompanyKey } from '../../shared/store/rows/sealed-rows.ts';
import { isEnded, type Switch } from '../../shared/domain/switch.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import type { FakeVaults } from '../fakes/fake-vaults.ts';
import { COMPANY, KEYRING } from '../operations/switches/rig.ts';
import type { DataCheck } from './check-data.ts';
import { KeptCheck } from './check-kept.ts';
import type { CompanyKeys, History } from './history.ts';
import type { Way } from '../fixtures/places-to-die.ts';

/** Short, so that kept keys go while there is still something going on. */
export const KEEP_MS = 120_000;
export const EXPORT_ALLOWANCE_MS = 24 * 3_600_000;
const PREFIX = `companykey|${KEYRING}|`;

export class ControlCheck {
  readonly #store: FakeTables;
  readonly #vaults: FakeVaults;
  readonly #keys: CompanyKeys;
  readonly #history: History;
  readonly #rows = new Map<number, CompanyKeyRow>();
  readonly #switches = new Map<string, Switch>();
  readonly #kept: KeptCheck;
  #data: DataCheck | undefined;
  /** When a worker last took the lease on the end of a switch. */
  #leasedMs = 0;
  keyring: Keyring | undefined;
  highest = 0;
  readonly ends = { completed: 0, cancelled: 0 };
  /** The way of the switch that runs, or of the last. */
  way: Way = 'forward';

  constructor(store: FakeTables, vaults: FakeVaults, keys: CompanyKeys, history: History) {
    this.#store = store;
    this.#vaults = vaults;
    this.#keys = keys;
    this.#history = history;
    this.#kept = new KeptCheck(store, history);
  }

  get data(): DataCheck | undefined {
    return this.#data;
  }

  set data(data: DataCheck | undefined) {
    this.#data = data;
    this.#kept.data = data;
  }

  /** The unfinished switch, as it is stored. */
  get running(): Switch | undefined {
    return this.keyring?.switchId === undefined ? undefined : this.#switches.get(this.keyring.switchId);
  }

  get rows(): readonly CompanyKeyRow[] {
    return [...this.#rows.values()];
  }

  written(rowKeys: readonly string[], nowMs: number): void {
    const ended: Switch[] = [];
    for (const rowKey of rowKeys) {
      if (rowKey.startsWith(PREFIX)) this.#companyKeyWritten(rowKey);
      else if (rowKey === keyringRowKey(KEYRING)) this.#keyringWritten(nowMs);
      else if (rowKey.startsWith(switchRowKey(KEYRING, ''))) ended.push(...this.#switchWritten(rowKey, nowMs));
    }
    this.#checkWraps();
    this.#kept.written(rowKeys, this.keyring, nowMs);
    for (const sw of ended) {
      this.#checkEnd(sw);
      this.#kept.ended(sw);
    }
    this.#checkAllowance(rowKeys, ended);
  }

  #companyKeyWritten(rowKey: string): void {
    const version = Number(rowKey.slice(PREFIX.length));
    const stored = this.#store.peek('companies', COMPANY, rowKey);
    if (!stored) {
      this.#rows.delete(version);
      this.#keys.delete(version);
      const left = this.data?.rowsAt(version) ?? [];
      if (left.length > 0) this.#history.broken('3', `version ${version} is gone, and ${left.join(', ')} is under it`);
      return;
    }
    if (!this.#rows.has(version) && version <= this.highest) {
      this.#history.broken('3', `version ${version} was used before`);
    }
    this.highest = Math.max(this.highest, version);
    const row = readCompanyKey(stored.cells, { companyId: COMPANY, keyringId: KEYRING, version });
    if (!row) {
      this.#history.broken('1', `the row of company key ${version} cannot be read`);
      return;
    }
    this.#rows.set(version, row);
    for (const wrap of row.wraps) {
      const payload = this.#vaults.peek(wrap.keyId, wrap.ciphertext);
      const key = payload && openCompanyKey(payload, { ...row, commitment: wrap.commitment });
      const known = this.#keys.get(version);
      if (!key) this.#history.broken('1', `${providerName(wrap.ref)} does not open company key ${version}`);
      else if (!known) {
        this.#keys.set(version, key);
        this.#kept.met(version, key);
      } else if (!known.equals(key)) this.#history.broken('1', `company key ${version} has two values`);
    }
  }

  #keyringWritten(nowMs: number): void {
    const stored = this.#store.peek('companies', COMPANY, keyringRowKey(KEYRING));
    if (!stored) return;
    const before = this.keyring;
    const now = readKeyring(stored.cells);
    this.keyring = now;
    if (before && (now.generation < before.generation || now.highVersion < before.highVersion)) {
      this.#history.broken('3', 'the generation or the highest version of the keyring went back');
    }
    if (!before || providerName(before.provider) !== providerName(now.provider)) {
      this.#history.inForce.push({ host: this.hostOf(now.provider), fromMs: nowMs });
    }
  }

  hostOf(ref: ProviderRef): string {
    return `${ref.provider === 'managed' ? 'vendor' : ref.connectionId}.vault.azure.net`;
  }

  #switchWritten(rowKey: string, nowMs: number): Switch[] {
    const stored = this.#store.peek('companies', COMPANY, rowKey);
    if (!stored) return [];
    const now = readSwitch(stored.cells);
    const before = this.#switches.get(now.switchId);
    this.#switches.set(now.switchId, now);
    if (before && isEnded(before.state)) this.#history.broken('3', `switch ${now.switchId} was written after its end`);
    if (before && now.generation < before.generation) this.#history.broken('3', 'the generation of a switch went back');
    if (now.lease && now.lease.worker !== before?.lease?.worker) this.#leasedMs = nowMs;
    if (now.state === 'completed' && before?.state !== 'completed') this.#checkDenial(now, nowMs);
    if (now.blocked?.reason === 'provider' && ['transient', 'propagating'].includes(now.blocked.failure.kind)) {
      this.#history.broken('9', `${now.blocked.failure.code} may pass by itself, and blocks`);
    }
    if (now.trouble && !['transient', 'propagating'].includes(now.trouble.failure.kind)) {
      this.#history.broken(
        '9',
        `${now.trouble.failure.code} does not pass by itself, and nobody is told that they must act`,
      );
    }
    if (now.trouble && now.blocked) this.#history.broken('9', 'a switch is blocked, and said to go on by itself');
    if (now.state === 'rolling-back') this.way = 'back';
    else if (now.state === 're-protecting') this.way = this.way === 'forward' ? 'forward' : 'again';
    else this.way = 'forward';
    const isNewlyEnded = isEnded(now.state) && before !== undefined && !isEnded(before.state);
    if (isNewlyEnded) this.ends[now.state === 'completed' ? 'completed' : 'cancelled'] += 1;
    return isNewlyEnded && before.generation > 0 ? [now] : [];
  }

  /** A switch ends over a denial of the vault in force, one that stood when the lease on its end was taken, only if an admin has accepted it. */
  #checkDenial({ kind, source, denialAccepted }: Switch, nowMs: number): void {
    const isOverDenial = this.#history.deniesSince(this.hostOf(source), this.#leasedMs, nowMs);
    if (kind === 'switch' && !denialAccepted && isOverDenial)
      this.#history.broken('9', 'a switch ended although the vault in force denies');
  }

  /** Which versions there are, and which vaults open them: two of both while rows move, else one of one. */
  #checkWraps(): void {
    const { keyring } = this;
    if (!keyring) return;
    const sw = this.running;
    if (keyring.switchId !== undefined && (!sw || isEnded(sw.state))) {
      this.#history.broken('5', 'the keyring names a switch that is over');
      return;
    }
    const moving = sw?.state === 're-protecting' || sw?.state === 'rolling-back';
    const versions = moving ? [sw.fromVersion, sw.toVersion] : [keyring.activeVersion];
    const providers = moving ? [sw.source, sw.target] : [keyring.provider];
    const expected = JSON.stringify([...new Set(providers.map(providerName))].sort());
    if (versions.length !== this.#rows.size || versions.some((version) => !this.#rows.has(version))) {
      this.#history.broken('2', `there are company keys ${[...this.#rows.keys()].join()}, expected ${versions.join()}`);
    }
    for (const row of this.#rows.values()) {
      const found = JSON.stringify(row.wraps.map(({ ref }) => providerName(ref)).sort());
      if (found !== expected) {
        this.#history.broken('2', `company key ${row.version} opens with ${found}, expected ${expected}`);
      }
      const inForce = row.wraps.filter(({ guard }) => guard !== true).map(({ ref }) => providerName(ref));
      if (inForce.join() !== providerName(keyring.provider)) {
        this.#history.broken('1', `the wrap in force of company key ${row.version} is ${inForce.join() || 'none'}`);
      }
      for (const { ref, keyId } of row.wraps) {
        if (parseKeyId(keyId)?.host !== this.hostOf(ref)) this.#history.broken('6', `a wrap leads to ${keyId}`);
      }
    }
  }

  /** A completed switch allows one export, in the very transaction that ends it, and nothing else does. */
  #checkAllowance(rowKeys: readonly string[], ended: readonly Switch[]): void {
    const rowKey = exportRowKey(KEYRING);
    const allowing = ended.find(({ kind, state }) => kind === 'switch' && state === 'completed');
    if (rowKeys.includes(rowKey) !== (allowing !== undefined)) {
      this.#history.broken('13', allowing ? 'a switch was completed, and allows no export' : 'an export is allowed');
    }
    if (!allowing) return;
    const stored = this.#store.peek('companies', COMPANY, rowKey);
    const { round, allowanceUntil } = stored ? readExportState(stored.cells, KEYRING) : NO_EXPORTS;
    const expected = new Date(Date.parse(allowing.endedAt ?? '') + EXPORT_ALLOWANCE_MS).toISOString();
    if (round !== 0 || allowanceUntil !== expected) {
      this.#history.broken('13', `an export is allowed until ${allowanceUntil ?? 'never'}, expected ${expected}`);
    }
  }

  #checkEnd(sw: Switch): void {
    const version = sw.state === 'completed' ? sw.toVersion : sw.fromVersion;
    if (this.keyring?.activeVersion !== version) this.#history.broken('2', 'a switch ended with the wrong version');
    for (const [partition, shard] of this.data?.shards ?? []) {
      if (shard.generation !== sw.generation || shard.phase !== 'done' || shard.writeVersion !== version) {
        this.#history.broken('3', `a switch ended, and ${partition} was not done`);
      }
      if (shard.quarantined > 0) this.#history.broken('1', `a switch ended with undecided rows in ${partition}`);
    }
    for (const [keyId, { state, previousVersion }] of this.data?.all() ?? []) {
      const isKept = previousVersion !== 0 && state !== 'lost';
      if (isKept) this.#history.broken('2', `a switch ended, and ${keyId} was never opened anew`);
    }
  }
}
