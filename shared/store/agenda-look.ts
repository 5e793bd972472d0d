// One item of the agenda at a time, each by itself: a row that cannot be read, or a store that is away just then, must not keep the
// other items waiting, nor end the process by a promise that nobody waits for yet.
import type { AgendaItem } from './agenda.ts';
import type { Log } from '../domain/ports.ts';

/** Undefined if the look failed, which is logged: the item stays on the agenda, and the next turn of the timer looks again. */
export async function lookAlone<T>(log: Log, item: AgendaItem, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const { kind, companyId: company, id } = item;
    const detail = { kind, company, item: id, error: error instanceof Error ? error.name : 'unknown' };
    log.write({ level: 'error', event: 'agenda.look-failed', detail });
    return undefined;
  }
}
