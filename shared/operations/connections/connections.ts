// Connections as a resource: create or replace, read, list, delete. What is typed is judged before anything is sent. A
// connection that something depends on keeps its vault, key and tenant; whatever is stored carries the seal.
import type { ConnectionInput, Providers, WantedConnection } from '../../providers/provider.ts';
import type { Act, Actor } from '../../domain/audit.ts';
import type { Connection, ConnectionPlace } from '../../domain/connection.ts';
import { isResourceId } from '../../domain/ids.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfConnection } from '../../domain/seal.ts';
import { present } from '../../domain/plain-object.ts';
import type { Entropy, Sealer } from '../../domain/ports.ts';
import { act } from '../../store/act.ts';
import { secretsItemOf } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { loadCompany } from '../../store/control-state.ts';
import { listPage, type Found, type Loaded } from '../../store/found.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { connectionRow, connectionsOf } from '../../store/rows/sealed-rows.ts';
import type { Tables } from '../../store/tables.ts';
import { lackOfFeatures } from '../keys/company-terms.ts';
import type { LookingAtKeys } from '../keys/look-in-use.ts';
import { forged, type SealCheck } from '../keys/seals.ts';
import { claimHosted, refusedToCompany } from './hosted.ts';
import { loadConnection, verifyConnectionRow } from '../keys/verified-connection.ts';
import { credentialToPut, sealingOnce } from './connection-secrets.ts';
import { changed, featuresAsked, inUse, made, takesConsentFirst } from './next-connection.ts';
import { lackOfProof } from './prove-app.ts';

export interface ConnectionsDependencies extends LookingAtKeys, Auditing {
  readonly tables: Auditing['tables'];
  readonly sealer: Sealer;
  readonly providers: Providers;
  readonly entropy: Entropy;
}

/** The store's ETags; `ifMatch` may be `*`. */
export interface WriteCondition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

interface PutRequest extends ConnectionPlace {
  readonly input: ConnectionInput;
  readonly condition: WriteCondition;
  /** An admin of the vendor asks. */
  readonly byVendor?: boolean;
}

type DeleteRequest = Omit<PutRequest, 'input' | 'condition'> & {
  readonly condition: Pick<WriteCondition, 'ifMatch'>;
};

interface PutConnection extends Loaded<Connection> {
  readonly created: boolean;
}

export async function getConnection(
  deps: SealCheck & { readonly tables: Pick<Tables, 'read'> },
  place: ConnectionPlace,
): Promise<Result<Found<Connection>, Refusal>> {
  const loaded = await loadConnection(deps, place);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  return loaded.value ? ok(loaded.value) : err(notFound('connection', place.connectionId));
}

interface ConnectionPage {
  readonly connections: readonly Loaded<Connection>[];
  /** Ids of rows whose seal does not verify: each was logged as a security event, and is not shown. */
  readonly forged: readonly string[];
  /** The last id of the page, if there may be more. The store's own would be parsed as it comes back, and names a partition. */
  readonly continuation?: string;
}

export async function listConnections(
  deps: SealCheck & { readonly tables: Tables },
  query: { readonly companyId: string; readonly limit: number; readonly continuation?: string },
): Promise<Result<ConnectionPage, Refusal>> {
  const { companyId, limit, continuation } = query;
  if (continuation !== undefined && !isResourceId(continuation)) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  }
  if (!(await loadCompany(deps.tables, companyId))) return err(notFound('company', companyId));
  const after = continuation === undefined ? undefined : { companyId, connectionId: continuation };
  const page = await listPage(deps.tables, connectionsOf, { companyId }, { limit, ...present({ after }) });
  const connections: Loaded<Connection>[] = [];
  const forgedIds: string[] = [];
  for (const { place, ...row } of page.rows) {
    const verified = await verifyConnectionRow(deps, { ...place, row });
    if (verified.ok) connections.push(verified.value);
    else if (verified.error.code === 'row-forged') forgedIds.push(place.connectionId);
    else return err(refusedBy(verified.error));
  }
  const last = page.last?.connectionId;
  return ok({ connections, forged: forgedIds, ...(last === undefined ? {} : { continuation: last }) });
}

/** The same values again change nothing, and cost no signature. */
export async function putConnection(
  deps: ConnectionsDependencies,
  request: PutRequest,
  actor: Actor,
): Promise<Result<PutConnection, Refusal>> {
  const parsed = deps.providers.ofInput(request.input).parse(request.input);
  if (!parsed.ok) return parsed;
  const wanted = parsed.value;
  const refused = refusedToCompany(wanted.credential, request);
  if (refused) return err(refused);
  const key = {
    companyId: request.companyId,
    host: wanted.host,
    keyName: wanted.keyName,
    credential: wanted.credential,
  };
  const claimed = await claimHosted(deps, key);
  if (!claimed.ok) return claimed;
  const put = await store(deps, { request, wanted }, actor);
  // Once more: a claim counts only while a connection names the key, and another company may have taken it before this one did.
  const held = put.ok ? await claimHosted(deps, key) : put;
  return held.ok ? put : held;
}

function store(
  deps: ConnectionsDependencies,
  { request, wanted }: { readonly request: PutRequest; readonly wanted: WantedConnection },
  actor: Actor,
): Promise<Result<PutConnection, Refusal>> {
  const { companyId, connectionId } = request;
  const sealTyped = sealingOnce(deps, request, wanted);
  return act<PutConnection>(deps, { actor, ...actOn('connection.put', request) }, async (tx) => {
    const company = await tx.need(companyRow, request);
    const existing = await loadConnection(deps, request);
    if (!existing.ok) return err(refusedBy(existing.error));
    const held = existing.value;
    const refused = refusedToCompany(held?.value.credential, request);
    if (refused) return err(refused);
    if (!conditionHolds(request.condition, held?.etag)) {
      return err({ type: 'precondition-failed', what: 'connection', id: connectionId });
    }
    const now = deps.clock.now().toISOString();
    const lacking = await lackOfFeatures(deps, company, featuresAsked(held?.value, wanted));
    if (lacking) return err(lacking);
    const credential = await credentialToPut(deps, { held: held?.value, wanted, seal: sealTyped });
    if (!credential.ok) return credential;
    const next = held
      ? changed(held.value, wanted, credential.value)
      : ok(made(connectionId, wanted, credential.value, now));
    if (!next.ok) return next;
    if (next.value === held?.value) return ok({ ...held, created: false });
    const unproven = held && (await lackOfProof(deps, companyId, { held: held.value, next: next.value }));
    if (unproven) return err(unproven === 'in-use' ? takesConsentFirst(held.value) : refusedBy(unproven));
    const seal = await deps.sealer.sign(sealedBytesOfConnection(companyId, next.value));
    if (!seal.ok) return err(refusedBy(seal.error));
    const connection: Connection = { ...next.value, seal: seal.value };
    const created = !held;
    // So that a connection cannot slip into a company that is just being deleted.
    tx.guard(company);
    if (connection.credential.secrets) tx.agenda(secretsItemOf(companyId, connectionRow.key(request)));
    const put = tx.put(connectionRow, request, held, connection);
    const provider = deps.providers.of(connection);
    const before = held && deps.providers.of(held.value).describe(held.value);
    const from = before && { fromVaultHost: before.vaultHost, fromKeyName: before.keyName };
    tx.detail({ created, kind: connection.credential.kind, ...provider.describe(connection), ...from });
    return {
      done: () => ({ ...put(), created }),
      ifLanded: async () => {
        const landed = await getConnection(deps, request);
        return landed.ok ? ok({ ...landed.value, created }) : landed;
      },
    };
  });
}

/** Refused while something depends on it, or while it cannot be told whether anything does. */
export const deleteConnection = (
  deps: SealCheck & Auditing,
  request: DeleteRequest,
  actor: Actor,
): Promise<Result<void, Refusal>> =>
  act<undefined>(deps, { actor, ...actOn('connection.delete', request) }, async (tx) => {
    const held = await tx.need(connectionRow, request);
    const refusal = whyNotDelete(deps, request, held);
    if (refusal) return err(refusal);
    tx.delete(held);
    return ok(undefined);
  });

const actOn = (action: string, { companyId, connectionId }: ConnectionPlace): Act => ({
  action,
  companyId,
  target: connectionRow.key({ companyId, connectionId }),
});

/** A seal that does not verify is no hindrance: deleting such a row and entering it again is the way out. */
function whyNotDelete(
  deps: SealCheck,
  request: DeleteRequest,
  { value: connection, etag, at }: Found<Connection | undefined>,
): Refusal | undefined {
  const { companyId, connectionId, condition } = request;
  if (!conditionHolds(condition, etag)) {
    return { type: 'precondition-failed', what: 'connection', id: connectionId };
  }
  if (!connection) return refusedBy(forged(deps.log, { companyId, rowKey: at.rowKey }));
  const refused = refusedToCompany(connection.credential, request);
  if (refused) return refused;
  return connection.usedBy.length > 0 ? inUse(connection) : undefined;
}

function conditionHolds(condition: WriteCondition, etag: string | undefined): boolean {
  if (condition.ifNoneMatch !== undefined && etag !== undefined) return false;
  if (condition.ifMatch === undefined) return true;
  return condition.ifMatch === '*' ? etag !== undefined : condition.ifMatch === etag;
}
