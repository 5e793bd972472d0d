// All items of one kind in one bucket of the agenda, for tests that look on.
import { pageOfAgenda, type AgendaKind, type ListedAgendaItem } from '../../shared/store/agenda.ts';
import type { Tables } from '../../shared/store/tables.ts';

export async function listAgenda(tables: Tables, bucket: string, kind: AgendaKind): Promise<ListedAgendaItem[]> {
  const { items, continuation } = await pageOfAgenda(tables, { bucket, kind, after: '', limit: 1000 });
  if (continuation !== undefined) throw new Error('more than a page');
  return [...items];
}
