// What a denial means after what checks have met before it. Azure answers the same of a key that was purged and of one that it deletes or recovers at this
// moment, and of a role that was taken away and of one that went with its vault: only time tells them apart.
import type { ConnectionPlace } from '../../domain/connection.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { isWell, type Look, type VaultHealth } from '../../domain/health.ts';
import type { KeyWords } from '../../providers/provider.ts';
import { listPage } from '../../store/found.ts';
import { healthChangesOf } from '../../store/rows/health-rows.ts';
import type { Tables } from '../../store/tables.ts';

/** Azure deletes or recovers a key within seconds. */
const PASSING_MS = 25_000;
const MAX_CHANGES = 20;

/** `known`: what the checks before have left. */
export async function inLightOf(
  { tables, provider }: { readonly tables: Tables; readonly provider: Pick<KeyWords, 'explain'> },
  { known, now, ...place }: ConnectionPlace & { readonly known: VaultHealth | undefined; readonly now: Date },
  look: Look,
): Promise<Look> {
  if (look.outcome !== 'failed' || !known) return look;
  const { failure } = look;
  const facts = isGoneForLong(failure, known, now)
    ? { goneForLong: true }
    : (await isAfterDeletion(tables, place, failure, known))
      ? { vaultWasDeleted: true }
      : undefined;
  return facts ? { ...look, failure: provider.explain(failure, { facts }) } : look;
}

function isGoneForLong({ code, facts }: Failure, known: VaultHealth, now: Date): boolean {
  if (code !== 'key-not-found' || !isNowhere(facts)) return false;
  const isLong = now.getTime() - Date.parse(known.checkedAt) >= PASSING_MS;
  return known.code === 'key-purged' || (known.code === 'key-not-found' && isLong);
}

const isNowhere = ({ notAmongDeleted, keyReplaced }: FailureFacts): boolean =>
  notAmongDeleted === true || keyReplaced === true;

/** Whether the vault was seen to be deleted since it was well last. */
async function isAfterDeletion(
  tables: Tables,
  place: ConnectionPlace,
  { code }: Failure,
  known: VaultHealth,
): Promise<boolean> {
  if (code !== 'access-denied-rbac' || isWell(known.state)) return false;
  const { rows } = await listPage(tables, healthChangesOf, place, { limit: MAX_CHANGES });
  const well = rows.findIndex(({ value }) => isWell(value.state));
  return rows.slice(0, well < 0 ? undefined : well).some(({ value }) => value.code === 'vault-deleted');
}
