// The ports as an actor of the simulation has them: each call waits for its turn before and after its effect, may meet a fault, and is
// checked as it is committed. Decorators over the fakes; the product knows nothing of them.
import type { KeyObject } from 'node:crypto';
import type { Seal } from '../../shared/domain/company-key.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { VaultKey, VaultTarget } from '../../shared/domain/provider.ts';
import { readShard } from '../../shared/store/rows/data-rows.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import { SHARD_ROW_KEY } from '../../shared/domain/shard.ts';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import {
  type RowPage,
  type RowWrite,
  type StoredRow,
  type TableName,
  type Tables,
  type WriteOutcome,
} from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import type { KeyVaults } from '../../shared/providers/azure-key-vault/vaults.ts';
import type { Sealer, Timers, WorkQueue } from '../../shared/domain/ports.ts';
import { actOf, type Place } from '../fixtures/places-to-die.ts';
import { lieAboutKey, lieAboutUnwrapped } from './lies.ts';
import { damagedOutcome, damagedPage, damagedRow } from './damaged-answers.ts';
import type { PortWorld } from './port-world.ts';
import type { Actor } from './scheduler.ts';
import { PASSING, troubleOf } from './troubles.ts';

const NETWORK: Actor = { role: 'network' };
const LATEST_COMMIT_MS = 60_000;
const SLOWEST_ANSWER_MS = 10_000;
const SLOWEST_STORE_MS = 1_000;

export class SimTables implements Tables {
  readonly #world: PortWorld;
  readonly #actor: Actor;

  constructor(world: PortWorld, actor: Actor) {
    this.#world = world;
    this.#actor = actor;
  }

  async read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined> {
    const text = `tables.read ${table} ${rowKey}`;
    await this.#begin(text);
    const row = this.#world.meets(this.#actor, text, 'damaged')
      ? damagedRow(table, partitionKey, rowKey)
      : await this.#world.store.read(table, partitionKey, rowKey);
    await this.#world.turn(this.#actor, { text: `${text}: ${row?.etag ?? 'none'}`, ...this.#onTheWay(text) });
    return row;
  }

  async list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    const { plan } = this.#world;
    const text = `tables.list ${query.table} ${query.partitionKey}`;
    await this.#begin(text);
    const isData = query.table === 'datakeys';
    const limit = Math.min(query.limit, plan.pageRows);
    const isDamaged = this.#world.meets(this.#actor, text, 'damaged');
    const isEmpty = !isDamaged && this.#world.meets(this.#actor, text, 'emptyPage');
    const empty: RowPage = { rows: [], continuation: query.continuation ?? query.after ?? '' };
    const page = isDamaged ? damagedPage(query) : isEmpty ? empty : await this.#world.store.list({ ...query, limit });
    const place = this.#actor.role === 'worker' && isData ? { place: 'page:read' } : {};
    await this.#world.turn(this.#actor, {
      text: `${text}: ${page.rows.length} rows`,
      ...place,
      ...this.#onTheWay(text),
    });
    return page;
  }

  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    const world = this.#world;
    const act = this.#actOf(table, partitionKey, writes);
    const way = world.control.way;
    const place = (when: string): { place?: string } =>
      act === undefined || this.#actor.role !== 'worker' ? {} : { place: `${act}:${when}` };
    const text = `tables.write ${table} ${partitionKey} ${act ?? writes.map(({ kind, rowKey }) => `${kind} ${rowKey}`).join(', ')}`;
    let onTheWire = true;
    const onDeath = (): void => {
      if (onTheWire && world.chance.happens(0.5)) void this.#commitLate({ table, partitionKey, writes, text });
    };
    await world.turn(this.#actor, { text, onDeath, ...place('before'), ...this.#onTheWay(text) });
    onTheWire = false;
    if (world.meets(this.#actor, text, 'unavailable')) throw new StoreUnavailable('the store refused');
    if (world.meets(this.#actor, text, 'touched')) await this.#touch(table, partitionKey, writes);
    if (world.meets(this.#actor, text, 'lostBefore')) {
      if (act === 'page-write') world.reached('page-write:not-committed', way);
      return this.#lost(text);
    }
    if (world.meets(this.#actor, text, 'late')) {
      void this.#commitLate({ table, partitionKey, writes, text });
      return this.#lost(text);
    }
    const written = await world.commit(table, partitionKey, writes);
    const answer = { text: `${text}: ${outcomeText(written)}`, ...place('after'), ...this.#onTheWay(text) };
    await world.turn(this.#actor, answer, way);
    if (written.outcome === 'committed' && world.meets(this.#actor, text, 'damaged')) return damagedOutcome(writes);
    if (!world.meets(this.#actor, text, 'lostAfter')) return written;
    if (act === 'page-write' && written.outcome === 'committed') world.reached('page-write:answer-lost', way);
    return { outcome: 'unknown' };
  }

  async #begin(text: string): Promise<void> {
    await this.#world.turn(this.#actor, { text, ...this.#onTheWay(text) });
    if (this.#world.meets(this.#actor, text, 'unavailable')) throw new StoreUnavailable('the store refused');
  }

  /** A request, or its answer, may be long on its way: others do a lot meanwhile. */
  #onTheWay(text: string): { dueMs?: number } {
    const { chance, clock } = this.#world;
    if (!this.#world.meets(this.#actor, text, 'slowStore')) return {};
    return { dueMs: clock.now().getTime() + chance.below(SLOWEST_STORE_MS) };
  }

  async #lost(text: string): Promise<WriteOutcome> {
    await this.#world.turn(this.#actor, { text: `${text}: no answer` });
    return { outcome: 'unknown' };
  }

  /** A request that its sender has given up arrives all the same, perhaps long after. */
  async #commitLate(request: {
    readonly table: TableName;
    readonly partitionKey: string;
    readonly writes: readonly RowWrite[];
    readonly text: string;
  }): Promise<void> {
    const world = this.#world;
    const dueMs = world.clock.now().getTime() + world.chance.below(world.chance.happens(0.5) ? 100 : LATEST_COMMIT_MS);
    await world.turn(NETWORK, { text: `late ${request.text}`, dueMs });
    const written = await world.commit(request.table, request.partitionKey, request.writes);
    await world.turn(NETWORK, { text: `late ${request.text}: ${outcomeText(written)}` });
  }

  /** Somebody else writes one of the rows unchanged: whoever has its ETag in hand has lost. */
  async #touch(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<void> {
    const { rowKey } = this.#world.chance.pick(writes);
    const row = this.#world.store.peek(table, partitionKey, rowKey);
    if (row) await this.#world.store.write(table, partitionKey, [{ kind: 'merge', rowKey, cells: {}, etag: row.etag }]);
  }

  #actOf(table: TableName, partitionKey: string, writes: readonly RowWrite[]): ReturnType<typeof actOf> {
    if (this.#actor.role !== 'worker') return undefined;
    const shard = table === 'datakeys' ? this.#world.store.peek('datakeys', partitionKey, SHARD_ROW_KEY) : undefined;
    const state = this.#world.control.running?.state;
    return actOf(table, writes, { shard: shard && readShard(shard.cells), state });
  }
}

const outcomeText = (written: WriteOutcome): string =>
  written.outcome === 'conflict' ? `${written.reason} at ${written.index}` : written.outcome;

export class SimVaults implements KeyVaults {
  readonly #world: PortWorld;
  readonly #actor: Actor;

  constructor(world: PortWorld, actor: Actor) {
    this.#world = world;
    this.#actor = actor;
  }

  readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>> {
    const lie = (truth: VaultKey): VaultKey => lieAboutKey(this.#world, target, truth);
    return this.#call(target, 'readKey', { effect: () => this.#world.vaults.readKey(target, version), lie });
  }

  readDeleted(target: VaultTarget): ReturnType<KeyVaults['readDeleted']> {
    const effect = (): ReturnType<KeyVaults['readDeleted']> => this.#world.vaults.readDeleted(target);
    return this.#call(target, 'readDeleted', { effect, lie: (truth) => truth });
  }

  unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
  ): Promise<Result<Uint8Array, Failure>> {
    if (this.#actor.role === 'caller' && !this.#world.history.everInForce(target.host)) {
      this.#world.history.broken('1', `a caller was let through ${target.host}, which was never in force`);
    }
    const lie = (truth: Uint8Array): Uint8Array => lieAboutUnwrapped(this.#world, truth);
    return this.#call(target, 'unwrap', { effect: () => this.#world.vaults.unwrap(target, wrapped), lie });
  }

  async #call<T>(
    target: VaultTarget,
    operation: string,
    how: { readonly effect: () => Promise<Result<T, Failure>>; readonly lie: (truth: T) => T },
  ): Promise<Result<T, Failure>> {
    const world = this.#world;
    const text = `vaults.${operation} ${target.host}`;
    const state = world.control.running?.state;
    const midway: { place?: Place } = state === 'preparing' ? { place: 'prepare:midway' } : {};
    await world.turn(this.#actor, { text, ...(this.#actor.role === 'worker' ? midway : {}) });
    const trouble = world.troubleAt(target.host);
    const glitch = !trouble && world.meets(this.#actor, text, 'vault') ? world.chance.pick(PASSING) : undefined;
    if (trouble) world.note(this.#actor, text, trouble.code);
    if (glitch) world.note(this.#actor, text, glitch);
    const failed = trouble ?? (glitch && troubleOf(glitch, target.host));
    let answer = failed ? err(failed) : await how.effect();
    if (answer.ok) world.authorised(this.#actor, target.host);
    if (answer.ok && operation === 'unwrap') world.history.unwrappedMs.set(target.host, world.clock.now().getTime());
    if (answer.ok && world.meets(this.#actor, text, 'lyingVault')) answer = ok(how.lie(answer.value));
    const slowMs = world.meets(this.#actor, text, 'slowVault') ? world.chance.below(SLOWEST_ANSWER_MS) : 0;
    const unwrapped: { place?: Place } =
      operation === 'unwrap' && this.#actor.role === 'worker' && state !== 'preparing'
        ? { place: 'company-key:unwrapped' }
        : {};
    await world.turn(this.#actor, {
      text: `${text}: ${answer.ok ? 'ok' : answer.error.code}`,
      dueMs: world.clock.now().getTime() + slowMs,
      ...unwrapped,
    });
    return answer;
  }
}

/** As the real one, it asks for a public key once per process. */
export class SimSealer implements Sealer {
  readonly #world: PortWorld;
  readonly #actor: Actor;
  readonly #known = new Map<string, KeyObject>();

  constructor(world: PortWorld, actor: Actor) {
    this.#world = world;
    this.#actor = actor;
  }

  async sign(bytes: Uint8Array): Promise<Result<Seal, Failure>> {
    const glitch = await this.#meet('seal.sign');
    return glitch ? err(glitch) : this.#world.vaults.sign(bytes);
  }

  newestVersion(): Promise<Result<string, Failure>> {
    return this.#world.vaults.newestVersion();
  }

  async publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>> {
    const known = this.#known.get(keyVersion);
    if (known) return { ok: true, value: known };
    const glitch = await this.#meet('seal.publicKey');
    if (glitch) return err(glitch);
    const key = await this.#world.vaults.publicKey(keyVersion);
    if (key.ok && key.value) this.#known.set(keyVersion, key.value);
    return key;
  }

  async #meet(text: string): Promise<Failure | undefined> {
    await this.#world.turn(this.#actor, { text });
    const fails = this.#world.meets(this.#actor, text, 'seal');
    await this.#world.turn(this.#actor, { text: `${text}: ${fails ? 'fails' : 'ok'}` });
    return fails ? troubleOf(this.#world.chance.pick(PASSING), 'vendor.vault.azure.net') : undefined;
  }
}

type QueueWorld = Pick<PortWorld, 'broker' | 'chance' | 'meets' | 'mustHoldNoKey' | 'turn'>;

export class SimQueue implements WorkQueue {
  readonly #world: QueueWorld;
  readonly #actor: Actor;

  constructor(world: QueueWorld, actor: Actor) {
    this.#world = world;
    this.#actor = actor;
  }

  async send(messages: readonly WorkMessage[], options: { readonly delayMs?: number } = {}): Promise<void> {
    const text = `queue.send ${messages.map(({ kind, attempt }) => `${kind} ${attempt}`).join(', ')}`;
    await this.#world.turn(this.#actor, { text });
    this.#world.mustHoldNoKey('message', messages);
    if (this.#world.meets(this.#actor, text, 'queueAway')) {
      // Its answer lost, or never there: the sender cannot tell.
      if (this.#world.chance.happens(0.5)) this.#world.broker.send(messages, options.delayMs ?? 0);
      throw new StoreUnavailable('the queue is away');
    }
    this.#world.broker.send(messages, options.delayMs ?? 0);
    const place = this.#actor.role === 'worker' ? { place: 'next:enqueued' } : {};
    await this.#world.turn(this.#actor, { text: `${text}: sent`, ...place });
  }
}

export class SimTimers implements Timers {
  readonly #world: Pick<PortWorld, 'clock' | 'turn'>;
  readonly #actor: Actor;

  constructor(world: Pick<PortWorld, 'clock' | 'turn'>, actor: Actor) {
    this.#world = world;
    this.#actor = actor;
  }

  sleep(delayMs: number): Promise<void> {
    const dueMs = this.#world.clock.now().getTime() + delayMs;
    return this.#world.turn(this.#actor, { text: 'sleep', dueMs });
  }

  yield(): Promise<void> {
    return this.#world.turn(this.#actor, { text: 'turn' });
  }
}
