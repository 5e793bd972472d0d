// Which Entra tenant a vault belongs to: its own challenge says so, and nothing that is typed. Sends no token.
import type { Connection } from '../../domain/connection.ts';
import { failure } from '../../providers/azure-key-vault/words/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { isGuid } from '../../domain/ids.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { ConnectionProbe } from '../../providers/provider.ts';

/** In lower case. `wrong-entra-tenant` if the connection is pinned to another. */
export async function tenantOfVault(
  probe: Pick<ConnectionProbe, 'challengedTenant'>,
  { host, tenantId }: Pick<Connection, 'host' | 'tenantId'>,
): Promise<Result<string, Failure>> {
  const challenged = await probe.challengedTenant(host);
  if (!challenged.ok) return challenged;
  const named = challenged.value.toLowerCase();
  if (!isGuid(named)) return err(failure('vault-error', { detail: 'its challenge names no tenant' }));
  if (tenantId === undefined || tenantId === named) return ok(named);
  return err(failure('wrong-entra-tenant', { detail: `the vault names the tenant ${named}` }));
}
