// Asking an administrator of the vault's tenant for consent to the use of its key.
import type { Actor } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { connectionRowKey } from '../../domain/rows/row-keys.ts';
import { noteOnConnection } from '../connection-notes.ts';
import type { Loaded } from '../control-state.ts';
import { tenantOfVault } from '../vault-tenant.ts';
import { loadConnection } from '../verified-connection.ts';
import { makeLink, type MadeLink } from './make-link.ts';
import type { SignInDependencies } from './sign-in-dependencies.ts';
import { digestOfConnection } from './subject-now.ts';

interface ConnectionPlace {
  readonly companyId: string;
  readonly connectionId: string;
}

/** The vault's own challenge names the tenant, also if somebody typed one: whoever may type could name their own beside another's vault. */
export async function requestConsent(
  deps: SignInDependencies,
  { companyId, connectionId }: ConnectionPlace,
  actor: Actor,
): Promise<Result<MadeLink, Refusal>> {
  const connection = await pinnedConnection(deps, { companyId, connectionId });
  if (!connection.ok) return connection;
  const act = { action: 'consent.request', companyId, target: connectionRowKey(connectionId) };
  const subject = { purpose: 'consent', connectionId } as const;
  return makeLink(deps, { act, subject, about: digestOfConnection(connection.value.value) }, actor);
}

async function pinnedConnection(
  deps: SignInDependencies,
  place: ConnectionPlace,
): Promise<Result<Loaded<Connection>, Refusal>> {
  const loaded = await loadConnection(deps, place);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  if (!loaded.value) return err(notFound('connection', place.connectionId));
  const tenantId = await tenantOfVault(deps.probe, loaded.value.value);
  if (!tenantId.ok) return err(refusedBy(tenantId.error));
  if (loaded.value.value.tenantId !== undefined) return ok(loaded.value);
  return noteOnConnection(deps, loaded.value, { companyId: place.companyId, notes: { tenantId: tenantId.value } });
}
