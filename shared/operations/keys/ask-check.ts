// Asks for one check of a customer's vault, at once, from whatever has just met a denial or an outage there. The check itself is watch's; this only sends
// the message.
import type { Because } from '../../domain/asked-check.ts';
import type { CheckMessage } from '../../domain/check-message.ts';
import type { ConnectionPlace } from '../../domain/connection.ts';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { CheckQueue, Clock, Log } from '../../domain/ports.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';

/** A vault in trouble is met by every call; this process asks for one check of it in this time. */
const ASKED_AGAIN_AFTER_MS = 15_000;
const MAX_ASKED = 10_000;

interface Asking {
  readonly checkQueue: CheckQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** What this process has asked for lately. */
export class AskedChecks {
  readonly #deps: Asking;
  readonly #asked: ExpiringCache<true>;

  constructor(deps: Asking) {
    this.#deps = deps;
    this.#asked = new ExpiringCache(deps.clock, { ttlMs: ASKED_AGAIN_AFTER_MS, maxEntries: MAX_ASKED });
  }

  /** For what has changed since, also if it has asked lately. */
  async ask({ companyId, connectionId }: ConnectionPlace, because: Because): Promise<void> {
    const name = `${companyId}|${connectionId}`;
    if (because !== 'change' && this.#asked.peek(name)) return;
    this.#asked.keep(name, true);
    const message: CheckMessage = { format: 1, kind: 'check', companyId, connectionId, because };
    try {
      await this.#deps.checkQueue.send([message]);
    } catch (error) {
      this.#asked.forget(name);
      if (!(error instanceof StoreUnavailable)) throw error;
      const detail = { companyId, connectionId, reason: error.message };
      this.#deps.log.write({ level: 'warning', event: 'queue.unavailable', detail });
    }
  }
}

/** Once in 15 seconds for each process and connection. A queue that is away is logged: the timer checks the vault anyway. */
export const askCheck = (
  deps: { readonly askedChecks: AskedChecks },
  place: ConnectionPlace,
  because: Because,
): Promise<void> => deps.askedChecks.ask(place, because);
