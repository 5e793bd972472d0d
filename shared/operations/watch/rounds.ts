// Rounds of vault checks. The timer sends a message for each lane of each bucket of the agenda, spread over the minute; each is worked by whatever
// instance takes it, a page at a time, with as many checks side by side as it gets places for. No instance ever holds all connections.
import { allBuckets } from '../../store/agenda.ts';
import { lookAlone } from '../../store/agenda-walk.ts';
import type { RoundMessage } from '../../domain/check-message.ts';
import { LANES, MAX_INTERVAL, slotOf, type Lane } from '../../domain/check-pace.ts';
import { stoppedAt, type Progress, type Round } from '../../domain/round-progress.ts';
import type { Found } from '../../store/found.ts';
import { checkInPlace, type PlacedDependencies } from './check-in-place.ts';
import { dueIn } from './due.ts';
import { checkIfUsed } from './vault-checks.ts';
import { beginTurn, endTurn, findTurn, type Turn } from './round-turns.ts';

/** Between the messages of two buckets. All of them fall into one minute. */
const SPREAD_MS = 3_500;
/**
 * After so long no further check is begun: so a round ends, with its last checks, before the next one of its list begins. Those of silent vaults are
 * short, since they would take all messages of an instance otherwise.
 */
const LIMIT_MS: Readonly<Record<Lane, number>> = { quick: 40_000, silent: 15_000 };

/** The timer's turn. Sends no connection, and reads none. */
export async function beginRounds(deps: Pick<PlacedDependencies, 'clock' | 'checkQueue'>): Promise<number> {
  const slot = slotOf(deps.clock.now());
  for (const [index, bucket] of allBuckets.entries()) {
    const messages = LANES.map((lane): RoundMessage => ({ format: 1, kind: 'round', lane, bucket, slot }));
    await deps.checkQueue.send(messages, { delayMs: index * SPREAD_MS });
  }
  return allBuckets.length;
}

/** One that comes twice, late or forged checks what is due anyway, or nothing. */
export async function workRound(deps: PlacedDependencies, round: RoundMessage, check = checkIfUsed): Promise<void> {
  const now = slotOf(deps.clock.now());
  if (round.slot > now + 1 || round.slot <= now - MAX_INTERVAL) return;
  const turn = await findTurn(deps.tables, round, now);
  if (!turn) return;
  const { bucket, lane, slot } = round;
  const { begun, progress, undecided } = await checkDue(deps, round, turn, check);
  if (!begun) return;
  await endTurn(deps.tables, begun, progress);
  const about = { bucket, lane, slot };
  if (progress.done < slot) deps.log.write({ level: 'warning', event: 'vault.checks-late', detail: about });
  if (undecided > 0)
    deps.log.write({ level: 'warning', event: 'vault.checks-undecided', detail: { ...about, undecided } });
}

interface Checked {
  /** Absent if nothing was due, or another instance has begun the round. */
  readonly begun?: Found<Round> | undefined;
  readonly progress: Progress;
  readonly undecided: number;
}

/** At least one, however little time there is. */
async function checkDue(
  deps: PlacedDependencies,
  round: RoundMessage,
  turn: Turn,
  check: typeof checkIfUsed,
): Promise<Checked> {
  const { lane, slot } = round;
  const deadlineMs = deps.clock.now().getTime() + LIMIT_MS[lane];
  const inFlight = new Set<Promise<void>>();
  let begun: Found<Round> | undefined;
  let progress: Progress = { done: slot };
  let undecided = 0;
  let last: string | undefined;
  try {
    for await (const { item, key } of dueIn(deps.tables, round, turn.progress)) {
      const isFirst = begun === undefined;
      begun ??= await beginTurn(deps.tables, round, turn);
      if (!begun) break;
      const held = await deps.checkPlaces.take(lane);
      if (!isFirst && deps.clock.now().getTime() >= deadlineMs) {
        held.leave();
        progress = last === undefined ? turn.progress : stoppedAt(turn.progress, slot, last);
        break;
      }
      last = key ?? last;
      const place = { companyId: item.companyId, connectionId: item.id };
      const checking = lookAlone(deps.log, item, () => checkInPlace(deps, held, { place, listed: item }, check));
      const flight: Promise<void> = checking.then((isDecided) => {
        if (isDecided === false) undecided += 1;
        inFlight.delete(flight);
      });
      inFlight.add(flight);
    }
  } finally {
    await Promise.all(inFlight);
  }
  return { begun, progress, undecided };
}
