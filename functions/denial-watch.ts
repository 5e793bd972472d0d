// A process that has company keys in memory, for callers or as a worker, reads every few seconds which vaults deny, so that it learns of a denial that
// another process saw. Nothing happens on import.
import { DENIALS_AGE_MS, type Denials } from '../shared/operations/keys/denials.ts';
import { StoreUnavailable } from '../shared/domain/store-unavailable.ts';
import type { Log } from '../shared/domain/ports.ts';

export interface DenialWatching {
  readonly denials: Pick<Denials, 'areNeeded'> & { look(): Promise<unknown> };
  readonly log: Log;
}

/** One look at a time. The interval keeps no process alive. */
export function watchDenials(deps: DenialWatching): void {
  let isLooking = false;
  let isBlind = false;
  const look = async (): Promise<void> => {
    if (isLooking || !deps.denials.areNeeded) return;
    isLooking = true;
    try {
      await deps.denials.look();
      isBlind = false;
    } catch (error) {
      // Once for each time without the list: meanwhile no outage is bridged, and what is cached ends with the promised time.
      if (!isBlind)
        deps.log.write({ level: 'warning', event: 'vault.denials-unknown', detail: { error: nameOf(error) } });
      isBlind = true;
    } finally {
      isLooking = false;
    }
  };
  // More often than the list is read anew, so that a beat that comes a moment too early does not put it off by another five seconds.
  setInterval(() => void look(), DENIALS_AGE_MS / 5).unref();
}

const nameOf = (error: unknown): string =>
  error instanceof StoreUnavailable ? error.message : error instanceof Error ? error.name : 'unknown';
