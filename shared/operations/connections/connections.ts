// Connections as a resource: create or replace, read, list, delete. What is typed is judged before anything is sent. A
// connection that something depends on keeps its vault, key and tenant; whatever is stored carries the seal.
import type { ConnectionInput, Providers, WantedConnection } from '../../providers/provider.ts';
import type { Act, Actor } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import { isResourceId } from '../../domain/ids.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { COMPANY_ROW_KEY, connectionRowKey, rowKeysUnder } from '../../store/rows/row-keys.ts';
import { connectionCells, readConnection } from '../../store/rows/sealed-rows.ts';
import { sealedBytesOfConnection } from '../../domain/seal.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import { listSome, loadCompany, type Loaded } from '../../store/control-state.ts';
import type { RowWrite, StoredRow, Tables } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';
import { undecided, type Undecided } from '../../store/races.ts';
import { forged, type SealCheck } from '../keys/seals.ts';
import { loadConnection, verifyConnectionRow } from '../keys/verified-connection.ts';

export interface ConnectionsDependencies extends SealCheck, Auditing {
  readonly sealer: Sealer;
  readonly providers: Providers;
}

interface ConnectionPlace {
  readonly companyId: string;
  readonly connectionId: string;
}

/** The store's ETags; `ifMatch` may be `*`. */
export interface WriteCondition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

interface PutConnection extends Loaded<Connection> {
  readonly created: boolean;
}

export async function getConnection(
  deps: SealCheck & { readonly tables: Pick<Tables, 'read'> },
  place: ConnectionPlace,
): Promise<Result<Loaded<Connection>, Refusal>> {
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
  const prefix = connectionRowKey('');
  const under = rowKeysUnder(prefix);
  const after = continuation === undefined ? under.after : connectionRowKey(continuation);
  const range = { table: 'companies', partitionKey: companyId, before: under.before, after, limit } as const;
  const page = await listSome(deps.tables, range);
  const connections: Loaded<Connection>[] = [];
  const forgedIds: string[] = [];
  for (const row of page.rows) {
    const connectionId = row.rowKey.slice(prefix.length);
    const verified = await verifyConnectionRow(deps, { companyId, connectionId, row });
    if (verified.ok) connections.push(verified.value);
    else if (verified.error.code === 'row-forged') forgedIds.push(connectionId);
    else return err(refusedBy(verified.error));
  }
  const last = page.continuation === undefined ? undefined : page.rows.at(-1)?.rowKey.slice(prefix.length);
  return ok({ connections, forged: forgedIds, ...(last === undefined ? {} : { continuation: last }) });
}

/** The same values again change nothing, and cost no signature. */
export async function putConnection(
  deps: ConnectionsDependencies,
  request: ConnectionPlace & { readonly input: ConnectionInput; readonly condition: WriteCondition },
  actor: Actor,
): Promise<Result<PutConnection, Refusal>> {
  const wanted = deps.providers.ofInput(request.input).parse(request.input);
  if (!wanted.ok) return wanted;
  return audited(deps, actor, actOn('connection.put', request), (record) => {
    const act: PutAct = { wanted: wanted.value, record, created: false };
    return settleAct(deps, record, async () => {
      if (await record.landed()) return asPut(deps, request, act);
      return putOnce(deps, request, act);
    });
  });
}

interface PutAct {
  readonly wanted: WantedConnection;
  readonly record: ActRecord;
  /** Whether the last attempt would make it. */
  created: boolean;
}

/** What became of a put whose answer was lost: others may have written since. */
async function asPut(
  deps: ConnectionsDependencies,
  place: ConnectionPlace,
  { created }: Pick<PutAct, 'created'>,
): Promise<Result<PutConnection, Refusal>> {
  const now = await getConnection(deps, place);
  return now.ok ? ok({ ...now.value, created }) : now;
}

async function putOnce(
  deps: ConnectionsDependencies,
  request: ConnectionPlace & { readonly condition: WriteCondition },
  act: PutAct,
): Promise<Result<PutConnection, Refusal> | Undecided> {
  const { companyId, connectionId } = request;
  const { wanted, record } = act;
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return err(notFound('company', companyId));
  if (company.value.state === 'closing') {
    return err({ type: 'state', code: 'company-closing', message: 'The company is being deleted.' });
  }
  const existing = await loadConnection(deps, request);
  if (!existing.ok) return err(refusedBy(existing.error));
  const held = existing.value;
  if (!conditionHolds(request.condition, held?.etag)) {
    return err({ type: 'precondition-failed', what: 'connection', id: connectionId });
  }
  const next = held ? changed(held.value, wanted) : ok(created(connectionId, wanted, deps.clock.now().toISOString()));
  if (!next.ok) return next;
  if (next.value === held?.value) return ok({ ...held, created: false });

  const seal = await deps.sealer.sign(sealedBytesOfConnection(companyId, next.value));
  if (!seal.ok) return err(refusedBy(seal.error));
  const connection: Connection = { ...next.value, seal: seal.value };
  const rowKey = connectionRowKey(connectionId);
  const cells = connectionCells(connection);
  // The company's row is merged unchanged, so that a connection cannot slip into a company that is just being deleted.
  const guard: RowWrite = { kind: 'merge', rowKey: COMPANY_ROW_KEY, cells: {}, etag: company.etag };
  const write: RowWrite = held
    ? { kind: 'replace', rowKey, cells, etag: held.etag }
    : { kind: 'insert', rowKey, cells };
  act.created = !held;
  const detail = { created: act.created, ...deps.providers.of(connection).describe(connection) };
  const written = await record.write('companies', companyId, [guard, write], detail);
  if (written.outcome !== 'committed') return undecided(written);
  return ok({ value: connection, etag: written.etags[1] ?? '', created: act.created });
}

/** Refused while something depends on it, or while it cannot be told whether anything does. */
export async function deleteConnection(
  deps: SealCheck & Auditing,
  request: ConnectionPlace & { readonly condition: Pick<WriteCondition, 'ifMatch'> },
  actor: Actor,
): Promise<Result<void, Refusal>> {
  const attempt = async (record: ActRecord): Promise<Result<void, Refusal> | Undecided> => {
    if (await record.landed()) return ok(undefined);
    const { companyId, connectionId } = request;
    const row = await deps.tables.read('companies', companyId, connectionRowKey(connectionId));
    if (!row) return err(notFound('connection', connectionId));
    const refusal = whyNotDelete(deps, request, row);
    if (refusal) return err(refusal);
    const write = { kind: 'delete', rowKey: row.rowKey, etag: row.etag } as const;
    const written = await record.write('companies', companyId, [write]);
    return written.outcome === 'committed' ? ok(undefined) : undecided(written);
  };
  return audited(deps, actor, actOn('connection.delete', request), (record) =>
    settleAct(deps, record, () => attempt(record)),
  );
}

const actOn = (action: string, { companyId, connectionId }: ConnectionPlace): Act => ({
  action,
  companyId,
  target: connectionRowKey(connectionId),
});

/** A seal that does not verify is no hindrance: deleting such a row and entering it again is the way out. */
function whyNotDelete(
  deps: SealCheck,
  request: ConnectionPlace & { readonly condition: Pick<WriteCondition, 'ifMatch'> },
  row: StoredRow,
): Refusal | undefined {
  const { companyId, connectionId, condition } = request;
  if (!conditionHolds(condition, row.etag)) {
    return { type: 'precondition-failed', what: 'connection', id: connectionId };
  }
  const connection = readConnection(row.cells, connectionId);
  if (!connection) return refusedBy(forged(deps.log, { companyId, rowKey: row.rowKey }));
  return connection.usedBy.length > 0 ? inUse(connection) : undefined;
}

function conditionHolds(condition: WriteCondition, etag: string | undefined): boolean {
  if (condition.ifNoneMatch !== undefined && etag !== undefined) return false;
  if (condition.ifMatch === undefined) return true;
  return condition.ifMatch === '*' ? etag !== undefined : condition.ifMatch === etag;
}

type Unsealed = Omit<Connection, 'seal'>;

const created = (connectionId: string, wanted: WantedConnection, createdAt: string): Unsealed => ({
  connectionId,
  ...wanted,
  usedBy: [],
  createdAt,
  keySeen: false,
});

/** The connection as wanted, or itself. What was learnt of another vault, key or app is forgotten; consent is to be given anew. */
function changed(held: Connection, wanted: WantedConnection): Result<Unsealed, Refusal> {
  const samePlace = held.provider === wanted.provider && held.host === wanted.host && held.keyName === wanted.keyName;
  const sameTenant = wanted.tenantId === undefined || held.tenantId === wanted.tenantId;
  const sameApp = held.credential.clientId === wanted.credential.clientId;
  if (held.usedBy.length > 0 && !(samePlace && sameTenant)) return err(inUse(held));
  if (held.tenantId !== undefined && !sameTenant) {
    return err({
      type: 'invalid',
      target: 'body.tenantId',
      message: 'The tenant of a connection stays the same once it is known. Delete the connection and create it anew.',
    });
  }
  if (samePlace && sameTenant && sameApp) return ok(held);
  const { roleAssignedAt, consent: _void, move: _under, testFailed: _outcome, keySeen, movedFrom, ...kept } = held;
  return ok({
    ...kept,
    ...wanted,
    ...(samePlace && movedFrom !== undefined ? { movedFrom } : {}),
    keySeen: samePlace && keySeen,
    ...(samePlace && sameApp && roleAssignedAt !== undefined ? { roleAssignedAt } : {}),
  });
}

const inUse = ({ connectionId, usedBy }: Connection): Refusal => ({
  type: 'state',
  code: 'connection-in-use',
  message: `The connection '${connectionId}' is used by ${usedBy.length === 1 ? 'a keyring or switch' : `${usedBy.length} keyrings or switches`}: only its credential can change.`,
});
