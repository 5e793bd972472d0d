// When a customer's vault is checked. Pure. Time is cut into slots of a minute. Whether a vault is due in one follows from the slot, a hash of the
// connection and how the vault was found, so that a check which shows nothing new has nothing to write.
import { createHash } from 'node:crypto';
import type { ConnectionPlace } from './connection.ts';

const SLOT_MS = 60_000;

export const slotOf = (now: Date): number => Math.floor(now.getTime() / SLOT_MS);
export const startOfSlot = (slot: number): Date => new Date(slot * SLOT_MS);

/**
 * `silent`: it does not answer, so each check of it waits for its whole time limit. `slow`: a check of it was given up before that, so it is not known
 * whether it answers.
 */
export type Pace = { readonly kind: 'well' | 'ill' } | { readonly kind: 'slow' | 'silent'; readonly since: string };

/** Silent vaults are checked apart from the others, whom they must not keep waiting. */
export type Lane = 'quick' | 'silent';
export const LANES: readonly Lane[] = ['quick', 'silent'];
export const laneOf = (pace: Pace | undefined): Lane =>
  pace?.kind === 'silent' || pace?.kind === 'slow' ? 'silent' : 'quick';

/** The longest interval: within so many slots every vault is due. */
export const MAX_INTERVAL = 16;
const WELL_INTERVAL = 5;

/** In slots. That of a silent vault is at most half of the time that it has been silent. */
function intervalAt(pace: Pace, slot: number): number {
  if (pace.kind !== 'silent') return pace.kind === 'well' ? WELL_INTERVAL : 1;
  const silentFor = slot - slotOf(new Date(pace.since));
  return Math.min(MAX_INTERVAL, 2 ** Math.floor(Math.log2(Math.max(1, silentFor / 2))));
}

/** Spreads connections evenly over the slots. */
export const phaseOf = ({ companyId, connectionId }: ConnectionPlace): number =>
  createHash('sha256').update(`${companyId}|${connectionId}`).digest().readUInt32BE();

export interface Slots {
  /** Exclusive. */
  readonly after: number;
  readonly upTo: number;
}

/** Undefined if it is due in none of them. A vault that was never checked is due at once. */
export function lastDue(pace: Pace | undefined, phase: number, { after, upTo }: Slots): number | undefined {
  for (let slot = upTo; slot > Math.max(after, upTo - MAX_INTERVAL); slot -= 1)
    if (isDueAt(pace, phase, slot)) return slot;
  return undefined;
}

export function nextDue(pace: Pace | undefined, phase: number, after: number): number {
  let slot = after + 1;
  while (!isDueAt(pace, phase, slot) && slot < after + 2 * MAX_INTERVAL) slot += 1;
  return slot;
}

const isDueAt = (pace: Pace | undefined, phase: number, slot: number): boolean =>
  pace === undefined || (slot + phase) % intervalAt(pace, slot) === 0;
