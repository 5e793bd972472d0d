// What a test learns of a connection, written to its row: the pinned tenant, and when what was seen. Others write the row at
// the same time, so each note is merged under the ETag read and, after a lost race, set against the row as it is then.
import { sameCredential, type Connection } from '../../domain/connection.ts';
import type { FailureCode } from '../../domain/failure.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { change } from '../../store/act.ts';
import type { Found } from '../../store/found.ts';
import { sealedBytesOfConnection } from '../../domain/seal.ts';
import type { Tables } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';
import type { Races } from '../../store/races.ts';
import type { SealCheck } from '../keys/seals.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface ConnectionNotesDependencies extends SealCheck, Races {
  readonly tables: Tables;
  readonly sealer: Sealer;
}

export interface ConnectionNotes {
  /** Pins the tenant, which takes a new seal. Never replaces one. */
  readonly tenantId?: string;
  readonly roleAssignedAt?: string;
  readonly keySeen?: true;
  /** Null: it did not fail. */
  readonly testFailed?: FailureCode | null;
}

/** Only what notes can change: who uses the connection is written by others. */
const NOTED = ['tenantId', 'seal', 'roleAssignedAt', 'keySeen', 'testFailed'];

/** The connection as it is afterwards. `busy` if meanwhile it was pointed at another provider, vault, key or tenant. */
export async function noteOnConnection(
  deps: ConnectionNotesDependencies,
  held: Found<Connection>,
  note: { readonly companyId: string; readonly notes: ConnectionNotes },
): Promise<Result<Found<Connection>, Refusal>> {
  const place = { companyId: note.companyId, connectionId: held.value.connectionId };
  let current = held;
  let stale = false;
  return change<Found<Connection>>(deps, async (tx) => {
    if (stale) {
      const reloaded = await loadConnection(deps, place);
      if (!reloaded.ok) return err(refusedBy(reloaded.error));
      if (!reloaded.value) return err(notFound('connection', place.connectionId));
      current = reloaded.value;
      if (!sameVaultKey(current.value, held.value, note.notes)) return err({ type: 'busy', retryAfterSeconds: 1 });
    }
    stale = true;
    const noted = withNotes(current.value, note.notes);
    if (noted === current.value) return ok(current);
    const sealed = await resealed(deps, { companyId: place.companyId, before: current.value, after: noted });
    if (!sealed.ok) return sealed;
    // After a lost answer the row is read again: notes already there need no second write.
    return { done: tx.merge(current, sealed.value, NOTED) };
  });
}

function sameVaultKey(now: Connection, before: Connection, notes: ConnectionNotes): boolean {
  // A pin never goes away, so a row without it was deleted and made anew.
  const sameTenant =
    before.tenantId === undefined
      ? now.tenantId === undefined || notes.tenantId === undefined || now.tenantId === notes.tenantId
      : now.tenantId === before.tenantId;
  return (
    now.provider === before.provider &&
    now.host === before.host &&
    now.keyName === before.keyName &&
    sameCredential(now.credential, before.credential) &&
    sameTenant
  );
}

function withNotes(connection: Connection, notes: ConnectionNotes): Connection {
  const tenantId = connection.tenantId ?? notes.tenantId;
  const roleAssignedAt = notes.roleAssignedAt ?? connection.roleAssignedAt;
  const keySeen = connection.keySeen || notes.keySeen === true;
  const { testFailed: before, ...rest } = connection;
  const testFailed = notes.testFailed === undefined ? before : (notes.testFailed ?? undefined);
  const unchanged =
    tenantId === connection.tenantId &&
    roleAssignedAt === connection.roleAssignedAt &&
    keySeen === connection.keySeen &&
    testFailed === before;
  if (unchanged) return connection;
  return {
    ...rest,
    keySeen,
    ...(testFailed === undefined ? {} : { testFailed }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(roleAssignedAt === undefined ? {} : { roleAssignedAt }),
  };
}

async function resealed(
  { sealer }: Pick<ConnectionNotesDependencies, 'sealer'>,
  { companyId, before, after }: { companyId: string; before: Connection; after: Connection },
): Promise<Result<Connection, Refusal>> {
  if (after.tenantId === before.tenantId) return ok(after);
  const seal = await sealer.sign(sealedBytesOfConnection(companyId, after));
  return seal.ok ? ok({ ...after, seal: seal.value }) : err(refusedBy(seal.error));
}
