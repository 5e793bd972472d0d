// Which vaults of one list are due, and in what order.
import { agendaRowKey, pageOfAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import type { RoundMessage } from '../../domain/check-message.ts';
import { lastDue, laneOf, phaseOf } from '../../domain/check-pace.ts';
import { legsOf, type Leg, type Progress } from '../../domain/round-progress.ts';
import { present } from '../../domain/plain-object.ts';
import type { Tables } from '../../store/tables.ts';
import { paceIn } from './pace.ts';

const PAGE_ITEMS = 200;

export interface Due {
  readonly item: ListedAgendaItem;
  /** Where a round that stops behind it goes on; absent of one that is taken out of turn. */
  readonly key?: string;
}

/** Among those that do not answer, vaults that may have answered come first: theirs is the state that is not known. */
export async function* dueIn(
  tables: Tables,
  { bucket, lane, slot }: RoundMessage,
  progress: Progress,
): AsyncGenerator<Due> {
  if (lane === 'silent')
    for await (const item of itemsOf(tables, bucket, { after: '' }))
      if (paceIn(item.cells)?.kind === 'slow') yield { item };
  for (const leg of legsOf(progress, slot))
    for await (const item of itemsOf(tables, bucket, leg)) {
      const pace = paceIn(item.cells);
      const isOfLane = laneOf(pace) === lane && pace?.kind !== 'slow';
      if (
        isOfLane &&
        lastDue(pace, phaseOf({ companyId: item.companyId, connectionId: item.id }), leg.due) !== undefined
      )
        yield { item, key: agendaRowKey(item) };
    }
}

async function* itemsOf(
  tables: Tables,
  bucket: string,
  { after, upTo }: Pick<Leg, 'after' | 'upTo'>,
): AsyncGenerator<ListedAgendaItem> {
  let continuation: string | undefined;
  do {
    const at = { bucket, kind: 'check', after, limit: PAGE_ITEMS } as const;
    const page = await pageOfAgenda(tables, { ...at, ...present({ continuation }) });
    for (const item of page.items) {
      if (upTo !== undefined && agendaRowKey(item) > upTo) return;
      yield item;
    }
    continuation = page.continuation;
  } while (continuation !== undefined);
}
