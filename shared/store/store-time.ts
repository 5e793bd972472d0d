// The time of the store, which all hosts share: for what one host writes and another one judges.
import type { Clock } from '../domain/ports.ts';
import type { StoreClock } from './tables.ts';

export interface StoreTime {
  readonly clock: Clock;
  readonly storeClock: StoreClock;
}

/** Our own time before the store's first answer. Read a row first: its answer tells the store's. */
export const storeNow = ({ clock, storeClock }: StoreTime): Date =>
  new Date(clock.now().getTime() + (storeClock.aheadMs() ?? 0));
