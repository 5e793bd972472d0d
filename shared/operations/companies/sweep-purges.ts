// The timer's look at what is due to be purged: soft-deleted data keys whose time is over, and companies whose delete stopped half way. Works the
// agenda; each item says when to look at it next. One that fails does not hold up the others.
import { SLICE_MS, walkAgenda } from '../../store/agenda-walk.ts';
import { isDue, noteOnAgenda, takeOffAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import { KEYRING_PURGE_PREFIX } from '../data-keys/purge-list.ts';
import { purgeKeyring, type Purging } from '../data-keys/purge.ts';
import { COMPANY_PURGE_ID, goOnDeleting, type CompanyDeleting } from './delete-company.ts';
import type { Log } from '../../domain/ports.ts';
import { text } from '../../store/rows/cells.ts';

export interface PurgeSweeping extends Purging, CompanyDeleting {
  readonly log: Log;
}

/** A delete of a company is left to its own call for so long. */
const COMPANY_REST_MS = 60_000;

/** Each of them has many data keys in flight. */
const LANES = 4;

/** Answers how many data keys were purged. */
export async function sweepPurges(deps: PurgeSweeping): Promise<number> {
  const deadline = new Date(deps.clock.now().getTime() + SLICE_MS);
  const { sum } = await walkAgenda(deps, { kind: 'purge', lanes: LANES }, async (item) =>
    isDue(item, deps.clock.now()) ? lookAt(deps, item, deadline) : 0,
  );
  return sum;
}

async function lookAt(deps: PurgeSweeping, item: ListedAgendaItem, deadline: Date): Promise<number> {
  const { companyId } = item;
  if (item.id === COMPANY_PURGE_ID) {
    await lookAtCompany(deps, item);
    return 0;
  }
  if (!item.id.startsWith(KEYRING_PURGE_PREFIX)) return 0;
  const keyringId = item.id.slice(KEYRING_PURGE_PREFIX.length);
  const from = text(item.cells, 'after') ?? '';
  const { purged, gone, nextAt, after } = await purgeKeyring(deps, { companyId, keyringId }, { from, deadline });
  if (gone) await takeOffAgenda(deps.tables, item);
  else await noteOnAgenda(deps.tables, item, { nextAt, after });
  return purged;
}

/** The first look only sets the time of the next: the call that put the item here is probably still at work. */
async function lookAtCompany(deps: PurgeSweeping, item: ListedAgendaItem): Promise<void> {
  const seen = text(item.cells, 'nextAt') !== undefined;
  const nextAt = new Date(deps.clock.now().getTime() + COMPANY_REST_MS).toISOString();
  await noteOnAgenda(deps.tables, item, { nextAt });
  if (seen) await goOnDeleting(deps, item);
}
