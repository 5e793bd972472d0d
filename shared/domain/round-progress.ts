// How far the rounds of checks have come with one list of vaults. Pure. The list is a ring: a round that runs out of time leaves a part of it done, and
// the next one begins behind that part. So every vault has its turn, however many there are.
import { MAX_INTERVAL, type Slots } from './check-pace.ts';

/** The keys behind `from` up to `to`, around the end of the list where `to` comes first, are done up to this slot. */
interface Part {
  readonly slot: number;
  readonly from: string;
  readonly to: string;
}

export interface Progress {
  /** Whatever was due up to this slot is done. */
  readonly done: number;
  readonly part?: Part;
}

/** As it is stored. */
export interface Round extends Progress {
  /** The slot of the last round that was begun. */
  readonly begun: number;
  /** It has not ended yet, or has died. */
  readonly isRunning: boolean;
}

/** A stretch of the list, and the slots of which one must have been a vault's own. */
export interface Leg {
  /** Exclusive; empty for the beginning of the list. */
  readonly after: string;
  /** Inclusive; absent for its end. */
  readonly upTo?: string;
  readonly due: Slots;
}

/** A round ends within a minute. One that has not after so many slots has died. */
const DEAD_AFTER = 2;
/** Clocks of instances differ by less than so many slots. */
const SKEW = 1;

/** What a round of this slot goes on from. Undefined if there is nothing left of it, or another one is running. */
export function turnOf(
  round: Round | undefined,
  { slot, now }: { readonly slot: number; readonly now: number },
): Progress | undefined {
  // What a clock that was ahead has written must not keep the rounds from going on.
  if (!round || Math.max(round.begun, round.done) > now + SKEW) return { done: slot - MAX_INTERVAL };
  const { begun, isRunning, ...progress } = round;
  return slot <= begun || (isRunning && slot - begun < DEAD_AFTER) ? undefined : progress;
}

/** In the order in which a round of this slot takes them. */
export function legsOf({ done, part }: Progress, slot: number): readonly Leg[] {
  const due = { after: done, upTo: slot };
  if (!part) return [{ after: '', due }];
  const { from, to } = part;
  const ofPart = { after: part.slot, upTo: slot };
  const legs: readonly Leg[] =
    from <= to
      ? [
          { after: to, due },
          { after: '', upTo: from, due },
          { after: from, upTo: to, due: ofPart },
        ]
      : [
          { after: to, upTo: from, due },
          { after: from, due: ofPart },
          { after: '', upTo: to, due: ofPart },
        ];
  return legs.filter(({ after, upTo }) => after !== upTo);
}

/** After a round of this slot that came as far as `key`. */
export function stoppedAt({ done, part }: Progress, slot: number, key: string): Progress {
  if (!part) return { done, part: { slot, from: '', to: key } };
  if (!holds(part, key)) return { done, part: { ...part, to: key } };
  return { done: part.slot, part: { slot, from: part.to, to: key } };
}

const holds = ({ from, to }: Part, key: string): boolean =>
  from <= to ? key > from && key <= to : key > from || key <= to;
