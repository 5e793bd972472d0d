// A vault that was moved to another Entra tenant while its key was in force. Its host, key and versions stay through a move, so what is
// wrapped opens again as soon as that tenant lets us in. An administrator there has consented; the tenant is pinned only once the vault
// itself names it and its key opens every version in use to the company key that is committed to: whoever merely took over the name of a
// deleted vault has no such key.
import type { Actor } from '../../domain/audit.ts';
import { moved, targetOfMove, type Connection, type Move } from '../../domain/connection.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { connectionRowKey } from '../../store/rows/row-keys.ts';
import { connectionCells } from '../../store/rows/sealed-rows.ts';
import { sealedBytesOfConnection, sealedBytesOfConsent } from '../../domain/seal.ts';
import type { Look } from '../../domain/health.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import type { Loaded } from '../../store/control-state.ts';
import { lookAtKeyInUse, type LookingAtKeys } from '../keys/look-in-use.ts';
import type { Cells } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';
import { undecided, type Undecided } from '../../store/races.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface Moving extends LookingAtKeys, Auditing {
  readonly tables: Auditing['tables'];
  readonly sealer: Sealer;
  /** How long a consent serves for a move that is not finished. */
  readonly consentMs: number;
}

export interface MoveOutcome {
  /** Through the vault as the new tenant's. Good: that tenant is pinned. */
  readonly look: Look;
  readonly held: Loaded<Connection>;
}

/** Where the vault is now, as far as an administrator there has consented lately. */
export const targetMovedTo = (
  deps: Pick<Moving, 'clock' | 'consentMs'>,
  connection: Connection,
): KeyTarget | undefined => targetOfMove(connection, { now: deps.clock.now(), consentMs: deps.consentMs });

/** Undefined if nobody in another tenant has consented lately, or nothing is in use that could prove it. */
export async function completeMove(
  deps: Moving,
  { companyId, held }: { readonly companyId: string; readonly held: Loaded<Connection> },
  actor: Actor,
): Promise<Result<MoveOutcome | undefined, Refusal>> {
  const target = targetMovedTo(deps, held.value);
  if (!target) return ok(undefined);
  const look = await lookAtKeyInUse(deps, { companyId, connection: held.value }, target);
  if (!look) return ok(undefined);
  // invariant A17
  if (look.outcome === 'failed') return ok({ look, held });
  const pinned = await pin(deps, { companyId, held }, actor);
  return pinned.ok ? ok({ look, held: pinned.value }) : pinned;
}

/** Under the ETag that the proof was made under, or not at all. */
async function pin(
  deps: Moving,
  { companyId, held }: { readonly companyId: string; readonly held: Loaded<Connection> },
  actor: Actor,
): Promise<Result<Loaded<Connection>, Refusal>> {
  const { connectionId, tenantId: movedFrom, move } = held.value;
  if (!move) return ok(held);
  const next = await sealed(deps.sealer, { companyId, before: held.value, move });
  if (!next.ok) return next;
  const rowKey = connectionRowKey(connectionId);
  const cells = cellsOf(next.value);
  const act = { action: 'connection.move', companyId, target: rowKey };
  const detail = { tenantId: move.tenantId, movedFrom, ...deps.providers.of(held.value).describe(held.value) };
  const attempt = async (record: ActRecord): Promise<Result<Loaded<Connection>, Refusal> | Undecided> => {
    if (await record.landed()) return again(deps, { companyId, connectionId });
    const write = { kind: 'merge', rowKey, cells, etag: held.etag } as const;
    const written = await record.write('companies', companyId, [write], detail);
    if (written.outcome === 'committed') return ok({ value: next.value, etag: written.etags[0] ?? '' });
    return written.outcome === 'conflict' ? err({ type: 'busy', retryAfterSeconds: 1 }) : undecided(written);
  };
  const pinned = await audited(deps, actor, act, (record) => settleAct(deps, record, () => attempt(record)));
  if (pinned.ok)
    deps.log.write({ level: 'warning', event: 'connection.moved', detail: { companyId, connectionId, ...detail } });
  return pinned;
}

async function again(
  deps: Moving,
  place: { readonly companyId: string; readonly connectionId: string },
): Promise<Result<Loaded<Connection>, Refusal>> {
  const loaded = await loadConnection(deps, place);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  return loaded.value ? ok(loaded.value) : err({ type: 'busy', retryAfterSeconds: 1 });
}

/** The new tenant's consent is the connection's from now on, sealed to what the connection is now. */
async function sealed(
  sealer: Pick<Sealer, 'sign'>,
  { companyId, before, move }: { readonly companyId: string; readonly before: Connection; readonly move: Move },
): Promise<Result<Connection, Refusal>> {
  const unsealed = moved(before, move);
  const { grantedAt, adminId } = move;
  const seal = await sealer.sign(sealedBytesOfConnection(companyId, unsealed));
  if (!seal.ok) return err(refusedBy(seal.error));
  const ofConsent = await sealer.sign(sealedBytesOfConsent(companyId, unsealed, { grantedAt, adminId }));
  if (!ofConsent.ok) return err(refusedBy(ofConsent.error));
  return ok({ ...unsealed, seal: seal.value, consent: { grantedAt, adminId, seal: ofConsent.value } });
}

/** Only what a move changes. */
function cellsOf(connection: Connection): Cells {
  const { tenantId, movedFrom, seal, consent, move, testFailed } = connectionCells(connection);
  return { tenantId, movedFrom, seal, consent, move, testFailed };
}
