// Rounds of vault checks. The timer sends a message for each lane of each bucket of the agenda, spread over the minute; each is worked by whatever
// instance takes it, a page at a time, with so many checks side by side. No instance ever holds all connections.
import { agendaRowKey, allBuckets, pageOfAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import { lookAlone } from '../../store/agenda-walk.ts';
import type { RoundMessage } from '../../domain/check-message.ts';
import { LANES, lastDue, laneOf, MAX_INTERVAL, phaseOf, slotOf, type Slots } from '../../domain/check-pace.ts';
import { changeOnce } from '../../store/act.ts';
import { find } from '../../store/found.ts';
import { roundRow, type Round } from '../../store/rows/round-rows.ts';
import type { CheckPlaces } from './check-places.ts';
import { paceIn } from './pace.ts';
import { checkIfUsed, type CheckDependencies } from './vault-checks.ts';

export interface RoundDependencies extends CheckDependencies {
  readonly checkPlaces: CheckPlaces;
}

/** Between the messages of two buckets. All of them fall into the first two thirds of a minute. */
const SPREAD_MS = 2_500;
const PAGE_ITEMS = 200;
/** Of one message. */
const SIDE_BY_SIDE = 64;
/** A round that was begun, and not done so many slots later, has died, or its limit was over: what it had to check is checked with the next one. */
const DEAD_AFTER = 5;
/** Far below `functionTimeout` in host.json, with the last checks. */
const ROUND_LIMIT_MS = 240_000;

/** The timer's turn. Sends no connection, and reads none. */
export async function beginRounds(deps: Pick<RoundDependencies, 'clock' | 'checkQueue'>): Promise<number> {
  const slot = slotOf(deps.clock.now());
  for (const [index, bucket] of allBuckets.entries()) {
    const messages = LANES.map((lane): RoundMessage => ({ format: 1, kind: 'round', lane, bucket, slot }));
    await deps.checkQueue.send(messages, { delayMs: index * SPREAD_MS });
  }
  return allBuckets.length;
}

/** A round that comes twice checks twice, and one that is forged or late checks what is due anyway. */
export async function workRound(deps: RoundDependencies, round: RoundMessage, check = checkIfUsed): Promise<void> {
  const now = slotOf(deps.clock.now());
  if (round.slot > now + 1 || round.slot <= now - MAX_INTERVAL) return;
  const slots = await slotsOf(deps, round);
  if (!slots) return;
  const inFlight = new Set<Promise<void>>();
  const deadlineMs = deps.clock.now().getTime() + ROUND_LIMIT_MS;
  let hasBegun = false;
  let isWhole = true;
  try {
    for await (const item of dueIn(deps, round, slots)) {
      if (!hasBegun) await noteBegun(deps, round);
      hasBegun = true;
      while (inFlight.size >= SIDE_BY_SIDE) await Promise.race(inFlight);
      isWhole = deps.clock.now().getTime() < deadlineMs;
      if (!isWhole) break;
      const place = { companyId: item.companyId, connectionId: item.id };
      const checked = lookAlone(deps.log, item, () => deps.checkPlaces.run(round.lane, () => check(deps, place, item)));
      const flight = checked.then(() => void inFlight.delete(flight));
      inFlight.add(flight);
    }
  } finally {
    await Promise.all(inFlight);
  }
  const { bucket, lane, slot } = round;
  if (!isWhole) deps.log.write({ level: 'warning', event: 'vault.checks-late', detail: { bucket, lane, slot } });
  else if (hasBegun) await noteDone(deps, round, slots);
}

/** Undefined if there is nothing left of it. */
async function slotsOf(
  { tables }: Pick<RoundDependencies, 'tables'>,
  { lane, bucket, slot }: RoundMessage,
): Promise<Slots | undefined> {
  const earliest = slot - MAX_INTERVAL;
  const round = (await find(tables, roundRow, { bucket, lane }))?.value;
  if (!round) return { after: earliest, upTo: slot };
  if (round.done >= slot || round.begun > slot) return undefined;
  return { after: Math.max(earliest, Math.min(slot - 1, lastCovered(round, slot))), upTo: slot };
}

const lastCovered = ({ begun, done }: Round, slot: number): number => (slot - done > DEAD_AFTER ? done : begun);

async function noteBegun({ tables }: RoundDependencies, round: RoundMessage): Promise<void> {
  const held = await find(tables, roundRow, round);
  const { begun, done } = held?.value ?? { begun: 0, done: 0 };
  if (begun >= round.slot) return;
  await changeOnce({ tables }, (tx) => tx.put(roundRow, round, held, { begun: round.slot, done }));
}

/** Only where nothing before it is still open. A lost race or answer costs a note: the next round writes its own. */
async function noteDone({ tables }: RoundDependencies, round: RoundMessage, { after }: Slots): Promise<void> {
  const held = await find(tables, roundRow, round);
  if (!held || held.value.done >= round.slot) return;
  const hasGap = after > held.value.done && after > round.slot - MAX_INTERVAL;
  if (!hasGap) await changeOnce({ tables }, (tx) => tx.replace(held, { begun: held.value.begun, done: round.slot }));
}

/** What is due in one lane of one bucket. Each slot begins elsewhere, so that a round which runs out of time leaves others behind each time. */
async function* dueIn(
  { tables }: Pick<RoundDependencies, 'tables'>,
  { bucket, lane, slot }: RoundMessage,
  slots: Slots,
): AsyncGenerator<ListedAgendaItem> {
  const pivot = `check|${(slot % 36).toString(36)}`;
  for (const isFirstHalf of [true, false]) {
    let continuation: string | undefined;
    do {
      const at = { bucket, kind: 'check', after: isFirstHalf ? pivot : '', limit: PAGE_ITEMS } as const;
      const page = await pageOfAgenda(tables, { ...at, ...(continuation === undefined ? {} : { continuation }) });
      for (const item of page.items) {
        if (!isFirstHalf && agendaRowKey(item) > pivot) return;
        const pace = paceIn(item.cells);
        const phase = phaseOf({ companyId: item.companyId, connectionId: item.id });
        if (laneOf(pace) === lane && lastDue(pace, phase, slots) !== undefined) yield item;
      }
      continuation = page.continuation;
    } while (continuation !== undefined);
  }
}
