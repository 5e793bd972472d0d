// Asking an administrator of the vault's tenant for consent to the use of its key.
import type { Actor } from '../../domain/audit.ts';
import { isInForce, type Connection } from '../../domain/connection.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { present } from '../../domain/plain-object.ts';
import { takesConsent } from '../../identity/registry/tenant-kinds.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { noteOnConnection } from '../connections/notes.ts';
import type { Loaded } from '../../store/control-state.ts';
import { loadConnection } from '../keys/verified-connection.ts';
import { makeLink, type MadeLink } from './make-link.ts';
import type { SignInDependencies } from './step.ts';
import { digestOfConnection } from './subject-now.ts';

interface ConnectionPlace {
  readonly companyId: string;
  readonly connectionId: string;
}

/**
 * The vault's own challenge names the tenant, also where a caller typed one: a caller could type their own tenant beside another's vault. Of a key
 * in force it may name another than the pinned one: then the vault was moved, and an admin of the company may ask an administrator there.
 */
export async function requestConsent(
  deps: SignInDependencies,
  { companyId, connectionId, byVendor = false }: ConnectionPlace & { readonly byVendor?: boolean },
  actor: Actor,
): Promise<Result<MadeLink, Refusal>> {
  const named = await namedConnection(deps, { companyId, connectionId });
  if (!named.ok) return named;
  const { connection, movedTo } = named.value;
  if (movedTo !== undefined && byVendor) return err({ type: 'company-admin-only', companyId, message: MOVED });
  const act = {
    action: 'consent.request',
    companyId,
    target: connectionRow.key({ companyId, connectionId }),
    detail: { movedTo },
  };
  const subject = { purpose: 'consent', connectionId, ...present({ movedTo }) } as const;
  return makeLink(deps, { act, subject, about: digestOfConnection(connection.value) }, actor);
}

const MOVED = 'The vault was moved to another Entra tenant: only an admin of the company may let that tenant be asked.';

const NOT_NEEDED: Refusal = {
  type: 'state',
  code: 'consent-not-needed',
  message: 'A connection of this kind needs no consent: test it.',
};

interface NamedConnection {
  readonly connection: Loaded<Connection>;
  readonly movedTo?: string;
}

async function namedConnection(
  deps: SignInDependencies,
  place: ConnectionPlace,
): Promise<Result<NamedConnection, Refusal>> {
  const loaded = await loadConnection(deps, place);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  if (!loaded.value) return err(notFound('connection', place.connectionId));
  const connection = loaded.value;
  if (!takesConsent(connection.value.credential)) return err(NOT_NEEDED);
  const { tenantId: pinned, ...unpinned } = connection.value;
  const provider = deps.providers.of(connection.value);
  if (pinned !== undefined && !isInForce(connection.value)) {
    const owner = await provider.probe.owner(connection.value);
    return owner.ok
      ? ok({ connection })
      : err(refusedBy(provider.explain(owner.error, { connection: connection.value })));
  }
  const tenantId = await provider.probe.owner(unpinned);
  if (!tenantId.ok) return err(refusedBy(provider.explain(tenantId.error, { connection: connection.value })));
  if (pinned !== undefined)
    return ok({ connection, ...(pinned === tenantId.value ? {} : { movedTo: tenantId.value }) });
  const notes = { tenantId: tenantId.value };
  const noted = await noteOnConnection(deps, connection, { companyId: place.companyId, notes });
  return noted.ok ? ok({ connection: noted.value }) : noted;
}
