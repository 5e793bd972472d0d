// The only way to a connection that anything is sent through: loads it and checks its seal first.
import { targetOfConnection, type Connection, type ConnectionPlace } from '../../domain/connection.ts';
import { lackOfConsent } from '../../identity/registry/tenant-kinds.ts';
import type { Failure } from '../../domain/failure.ts';
import type { VaultTarget } from '../../domain/provider.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { find, type Found } from '../../store/found.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { sealedBytesOfConnection, sealedBytesOfConsent, sealedBytesOfMove } from '../../domain/seal.ts';
import { isAdminOf } from '../../domain/tenant.ts';
import type { Tables } from '../../store/tables.ts';
import { checkSeal, forged, type SealCheck } from './seals.ts';

export interface ConnectionReading extends SealCheck {
  readonly tables: Pick<Tables, 'read'>;
}

/** Undefined if there is none; `row-forged` if Keyswitch did not write it. */
export async function loadConnection(
  reading: ConnectionReading,
  place: ConnectionPlace,
): Promise<Result<Found<Connection> | undefined, Failure>> {
  const row = await find(reading.tables, connectionRow, place);
  // invariant A16
  return row ? verifyConnectionRow(reading, { ...place, row }) : ok(undefined);
}

/** The connection in a row that was read, after its seal is checked. */
export async function verifyConnectionRow(
  reading: SealCheck,
  { companyId, row }: ConnectionPlace & { readonly row: Found<Connection | undefined> },
): Promise<Result<Found<Connection>, Failure>> {
  const { rowKey } = row.at;
  const connection = row.value;
  if (!connection) return err(forged(reading.log, { companyId, rowKey }));
  const seal = await checkSeal(reading, {
    companyId,
    rowKey,
    bytes: sealedBytesOfConnection(companyId, connection),
    seal: connection.seal,
  });
  if (!seal.ok) return seal;
  const consent = await checkConsent(reading, { companyId, rowKey, connection });
  if (!consent.ok) return consent;
  const move = await checkMove(reading, { companyId, rowKey, connection });
  return move.ok ? ok({ ...row, value: connection }) : move;
}

/** A consent that was never given is forged, just like a changed vault. */
async function checkConsent(
  reading: SealCheck,
  read: { readonly companyId: string; readonly rowKey: string; readonly connection: Connection },
): Promise<Result<void, Failure>> {
  const { companyId, rowKey, connection } = read;
  const { consent } = connection;
  if (!consent) return ok(undefined);
  if (!isAdminOf(consent.adminId, connection.tenantId ?? '')) return err(forged(reading.log, { companyId, rowKey }));
  const bytes = sealedBytesOfConsent(companyId, connection, consent);
  return checkSeal(reading, { companyId, rowKey, bytes, seal: consent.seal });
}

async function checkMove(
  reading: SealCheck,
  read: { readonly companyId: string; readonly rowKey: string; readonly connection: Connection },
): Promise<Result<void, Failure>> {
  const { companyId, rowKey, connection } = read;
  const { move } = connection;
  if (!move) return ok(undefined);
  if (!isAdminOf(move.adminId, move.tenantId)) return err(forged(reading.log, { companyId, rowKey }));
  const bytes = sealedBytesOfMove(companyId, connection, move);
  return checkSeal(reading, { companyId, rowKey, bytes, seal: move.seal });
}

/**
 * The vault and key of a connection whose tenant is known and whose use was consented to: without that proof no token is asked for. A row that is gone or
 * names no tenant is forged.
 */
export async function loadTarget(
  reading: ConnectionReading,
  place: ConnectionPlace,
): Promise<Result<VaultTarget, Failure>> {
  const connection = await loadConnection(reading, place);
  if (!connection.ok) return connection;
  const held = connection.value?.value;
  const target = held && targetOfConnection(held);
  const lack = held && target && lackOfConsent(held);
  if (lack) return err(lack);
  return target
    ? ok(target)
    : err(forged(reading.log, { companyId: place.companyId, rowKey: connectionRow.key(place) }));
}
