// A vault that was moved to another Entra tenant while its key was in force. Host, key and versions stay, so what is wrapped opens again once that tenant
// lets us in. An administrator there has consented; the tenant is pinned only after the vault itself names it and its key opens
// every version in use to the company key in its commitment: an attacker who took over the name of a deleted vault has no
// such key.
import type { Actor } from '../../domain/audit.ts';
import { moved, targetOfMove, type Connection, type ConnectionPlace, type Move } from '../../domain/connection.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act } from '../../store/act.ts';
import type { Found } from '../../store/found.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { sealedBytesOfConnection, sealedBytesOfConsent } from '../../domain/seal.ts';
import type { Look } from '../../domain/health.ts';
import type { Auditing } from '../../store/append.ts';
import { lookAtKeyInUse, type LookingAtKeys } from '../keys/look-in-use.ts';
import type { Sealer } from '../../domain/ports.ts';
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
  readonly held: Found<Connection>;
}

/** Where the vault is now, as far as an administrator there has consented lately. */
export const targetMovedTo = (
  deps: Pick<Moving, 'clock' | 'consentMs'>,
  connection: Connection,
): KeyTarget | undefined => targetOfMove(connection, { now: deps.clock.now(), consentMs: deps.consentMs });

/** Undefined if no administrator of another tenant has consented recently, or nothing is in use that could prove the move. */
export async function completeMove(
  deps: Moving,
  { companyId, held }: { readonly companyId: string; readonly held: Found<Connection> },
  actor: Actor,
): Promise<Result<MoveOutcome | undefined, Refusal>> {
  const target = targetMovedTo(deps, held.value);
  if (!target) return ok(undefined);
  const look = await lookAtKeyInUse(deps, { companyId, connection: held.value }, { movedTo: target });
  if (!look) return ok(undefined);
  // invariant A17
  if (look.outcome === 'failed') return ok({ look, held });
  const pinned = await pin(deps, { companyId, held }, actor);
  return pinned.ok ? ok({ look, held: pinned.value }) : pinned;
}

const MOVED = ['tenantId', 'movedFrom', 'seal', 'consent', 'move', 'testFailed'];

/** Under the ETag that the proof was made under, or not at all. */
async function pin(
  deps: Moving,
  { companyId, held }: { readonly companyId: string; readonly held: Found<Connection> },
  actor: Actor,
): Promise<Result<Found<Connection>, Refusal>> {
  const { connectionId, tenantId: movedFrom, move } = held.value;
  if (!move) return ok(held);
  const next = await sealed(deps.sealer, { companyId, before: held.value, move });
  if (!next.ok) return next;
  const place = { companyId, connectionId };
  const detail = { tenantId: move.tenantId, movedFrom, ...deps.providers.of(held.value).describe(held.value) };
  const about = { actor, action: 'connection.move', companyId, target: connectionRow.key(place), detail };
  const pinned = await act<Found<Connection>>(deps, about, (tx) =>
    Promise.resolve({
      done: tx.merge(held, next.value, MOVED),
      ifLanded: () => again(deps, place),
      ifConflict: () => Promise.resolve(err({ type: 'busy', retryAfterSeconds: 1 })),
    }),
  );
  if (pinned.ok) deps.log.write({ level: 'warning', event: 'connection.moved', detail: { ...place, ...detail } });
  return pinned;
}

async function again(deps: Moving, place: ConnectionPlace): Promise<Result<Found<Connection>, Refusal>> {
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
