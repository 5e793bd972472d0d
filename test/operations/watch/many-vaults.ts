// Rounds of checks over very many vaults in simulated time, by the product's own timer, rounds, places and paces. Only the check itself is a stand-in: a
// vault that answers takes 50 ms, one that is silent its time limit.
import type { CheckMessage } from '../../../shared/domain/check-message.ts';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import { CheckPlaces } from '../../../shared/operations/watch/check-places.ts';
import { bucketOf, checkItem, notePace } from '../../../shared/operations/watch/pace.ts';
import { beginRounds, workRound } from '../../../shared/operations/watch/rounds.ts';
import type { checkIfUsed } from '../../../shared/operations/watch/vault-checks.ts';
import { agendaRowKey } from '../../../shared/store/agenda.ts';
import type { RowPage, TableName, Tables } from '../../../shared/store/tables.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';

export interface Scenario {
  readonly vaults: number;
  readonly instances: number;
  readonly minutes: number;
  /** All at once, in this minute and until that one. */
  readonly outage?: { readonly vaults: number; readonly from: number; readonly to: number };
}

export interface Measured {
  /** Longest time between two checks of a vault that answers, or from the start to its first. */
  readonly longestGapMs: number;
  readonly mostInFlight: number;
  /** Of an instance, of vaults that were known not to answer. */
  readonly mostKnownSilent: number;
  readonly writesOfStates: number;
  readonly stateChanges: number;
  /** Checks that were given up, each with its note. */
  readonly undecided: number;
  readonly notesOfRounds: number;
  /** Until the last vault of the outage was seen to be away, and to be back. */
  readonly allSeenAwayMs: number;
  readonly allSeenBackMs: number;
}

const STEP_MS = 50;
const MINUTE_MS = 60_000;
const LIMIT_MS = 10_000;
const PLACES = 256;
const MESSAGES_AT_ONCE = 16;
const BEGIN_MS = Date.UTC(2026, 0, 1);

class SimulatedTime {
  nowMs = BEGIN_MS;
  readonly #wakes = new Map<number, (() => void)[]>();

  readonly now = (): Date => new Date(this.nowMs);
  readonly steadyMs = (): number => this.nowMs;
  readonly yield = (): Promise<void> => Promise.resolve();

  sleep(delayMs: number): Promise<void> {
    const at = this.nowMs + Math.max(STEP_MS, Math.ceil(delayMs / STEP_MS) * STEP_MS);
    return new Promise((resolve) => {
      const wakes = this.#wakes.get(at);
      if (wakes) wakes.push(resolve);
      else this.#wakes.set(at, [resolve]);
    });
  }

  async step(): Promise<void> {
    this.nowMs += STEP_MS;
    for (const wake of this.#wakes.get(this.nowMs) ?? []) wake();
    this.#wakes.delete(this.nowMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lists an agenda of a hundred thousand rows without going over all of them each time. */
class BigAgenda extends FakeTables {
  readonly #keys = new Map<string, string[]>();
  writes = { states: 0, rounds: 0 };

  async seed(places: readonly { companyId: string; connectionId: string }[]): Promise<void> {
    for (const place of places) {
      const [bucket, rowKey] = [bucketOf(place), agendaRowKey(checkItem(place))];
      await super.write('agenda', bucket, [{ kind: 'insert', rowKey, cells: { format: 1 } }]);
      this.#keys.set(bucket, [...(this.#keys.get(bucket) ?? []), rowKey]);
    }
    for (const [bucket, keys] of this.#keys) this.#keys.set(bucket, keys.toSorted());
  }

  override async list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    const keys = this.#keys.get(query.partitionKey) ?? [];
    const from = query.continuation ?? query.after ?? '';
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle]! > from) high = middle;
      else low = middle + 1;
    }
    const page = keys.slice(low, low + query.limit);
    const rows = await Promise.all(page.map((key) => this.read(query.table, query.partitionKey, key)));
    const last = page.at(-1);
    const isMore = last !== undefined && low + page.length < keys.length;
    return { rows: rows.filter((row) => row !== undefined), ...(isMore ? { continuation: last } : {}) };
  }

  override write(...[table, partition, writes]: Parameters<Tables['write']>): ReturnType<Tables['write']> {
    this.writes[isRound(table, partition) ? 'rounds' : 'states'] += writes.length;
    return super.write(table, partition, writes);
  }
}

async function sleepUnlessAborted(
  time: SimulatedTime,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  await Promise.race([time.sleep(delayMs), aborted]);
}

const isRound = (table: TableName, partition: string): boolean => table === 'agenda' && partition === 'rounds';

export async function simulateRounds({ vaults, instances, minutes, outage }: Scenario): Promise<Measured> {
  const time = new SimulatedTime();
  const tables = new BigAgenda();
  const places = Array.from({ length: vaults }, (_, index) => ({ companyId: `c${index}`, connectionId: 'main' }));
  await tables.seed(places);
  const waiting: { readonly message: CheckMessage; readonly dueMs: number }[] = [];
  const checkQueue: Parameters<typeof beginRounds>[0]['checkQueue'] = {
    send: (messages, { delayMs = 0 } = {}) => {
      for (const message of messages) waiting.push({ message, dueMs: time.nowMs + delayMs });
      return Promise.resolve();
    },
  };
  const minuteNow = (): number => (time.nowMs - BEGIN_MS) / MINUTE_MS;
  const isAway = (index: number): boolean =>
    outage !== undefined && index < outage.vaults && minuteNow() >= outage.from && minuteNow() < outage.to;
  const seen = new Map<string, { health: VaultHealth; atMs: number }>();
  const measured = { longestGapMs: 0, mostInFlight: 0, mostKnownSilent: 0, stateChanges: 0, undecided: 0 };
  const marks = { allSeenAwayMs: 0, allSeenBackMs: 0 };
  const hosts = Array.from({ length: instances }, () => ({
    checkPlaces: new CheckPlaces(time, PLACES),
    messages: 0,
    inFlight: 0,
    knownSilent: 0,
  }));

  const checkOn =
    (host: (typeof hosts)[number]): typeof checkIfUsed =>
    async (_deps, place, { listed, signal }) => {
      const index = Number(place.companyId.slice(1));
      const before = seen.get(place.companyId);
      const isKnownSilent = before?.health.state === 'unreachable';
      host.inFlight += 1;
      if (isKnownSilent) host.knownSilent += 1;
      measured.mostInFlight = Math.max(measured.mostInFlight, host.inFlight);
      measured.mostKnownSilent = Math.max(measured.mostKnownSilent, host.knownSilent);
      const away = isAway(index);
      if (!outage || index >= outage.vaults)
        measured.longestGapMs = Math.max(measured.longestGapMs, time.nowMs - (before?.atMs ?? BEGIN_MS));
      try {
        await sleepUnlessAborted(time, away ? LIMIT_MS : STEP_MS, signal);
      } catch (error) {
        measured.undecided += 1;
        throw error;
      } finally {
        host.inFlight -= 1;
        if (isKnownSilent) host.knownSilent -= 1;
      }
      const state = away ? 'unreachable' : 'healthy';
      const at = time.now().toISOString();
      const health =
        before?.health.state === state
          ? before.health
          : ({ state, since: at, checkedAt: at, ...(away ? { code: 'vault-unreachable' } : {}) } as VaultHealth);
      if (before && health !== before.health)
        marks[away ? 'allSeenAwayMs' : 'allSeenBackMs'] =
          time.nowMs - BEGIN_MS - MINUTE_MS * (away ? outage!.from : outage!.to);
      if (health !== before?.health) measured.stateChanges += 1;
      seen.set(place.companyId, { health, atMs: time.nowMs });
      await notePace(tables, place, { health, listed });
    };

  const depsOf = (host: (typeof hosts)[number]): Parameters<typeof workRound>[0] =>
    ({
      tables,
      clock: time,
      log: { write: () => undefined },
      checkQueue,
      checkPlaces: host.checkPlaces,
    }) as unknown as Parameters<typeof workRound>[0];
  let shuffle = 7;
  for (let step = 0; step < (minutes * MINUTE_MS) / STEP_MS; step += 1) {
    if (step % (MINUTE_MS / STEP_MS) === 0) await beginRounds({ clock: time, checkQueue });
    // A queue gives its messages to all that ask, in no order.
    shuffle = (shuffle * 1_103_515_245 + 12_345) % 2 ** 31;
    const first = (shuffle >> 16) % hosts.length;
    for (const host of [...hosts.slice(first), ...hosts.slice(0, first)]) {
      const next = host.messages < MESSAGES_AT_ONCE ? waiting.findIndex(({ dueMs }) => dueMs <= time.nowMs) : -1;
      const [taken] = next < 0 ? [] : waiting.splice(next, 1);
      if (taken?.message.kind !== 'round') continue;
      host.messages += 1;
      void workRound(depsOf(host), taken.message, checkOn(host)).finally(() => (host.messages -= 1));
    }
    await time.step();
  }
  return { ...measured, ...marks, writesOfStates: tables.writes.states, notesOfRounds: tables.writes.rounds };
}
