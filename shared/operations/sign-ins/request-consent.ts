// A link to a page of ours, which asks an administrator of the vault's tenant for consent. May be sent to anybody: it gives nothing to
// whoever opens it, but the question.
import type { Actor } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { COMPANY_ROW_KEY, connectionRowKey, linkRowKey } from '../../domain/rows/row-keys.ts';
import { linkCells } from '../../domain/rows/sign-in-rows.ts';
import { ticketOf, TICKET_SECRET_BYTES, type Ticket } from '../../domain/ticket.ts';
import { audited } from '../audit/audited.ts';
import { noteOnConnection } from '../connection-notes.ts';
import { loadCompany, type Loaded } from '../control-state.ts';
import { settleRaces } from '../races.ts';
import { tenantOfVault } from '../vault-tenant.ts';
import { loadConnection } from '../verified-connection.ts';
import { digestOf } from './asked.ts';
import type { SignInDependencies } from './sign-in-dependencies.ts';
import { tidySignIns } from './tidy.ts';

interface ConsentLink {
  readonly ticket: Ticket;
  readonly expiresAt: string;
}

/** The vault's own challenge names the tenant, if no test has asked it yet. */
export async function requestConsent(
  deps: SignInDependencies,
  place: { readonly companyId: string; readonly connectionId: string },
  actor: Actor,
): Promise<Result<ConsentLink, Refusal>> {
  const connection = await pinnedConnection(deps, place);
  if (!connection.ok) return connection;
  await tidySignIns(deps, place.companyId);
  const { companyId, connectionId } = place;
  const ticket = ticketOf(companyId, deps.entropy.bytes(TICKET_SECRET_BYTES));
  const now = deps.clock.now();
  const expiresAt = new Date(now.getTime() + deps.signInTimes.linkMs).toISOString();
  const cells = linkCells({
    subject: { purpose: 'consent', connectionId },
    about: digestOf(connection.value.value),
    requestedBy: actor.by,
    createdAt: now.toISOString(),
    expiresAt,
  });
  const act = { action: 'consent.request', companyId, target: connectionRowKey(connectionId) };
  return audited(deps, actor, act, (record) =>
    settleRaces<ConsentLink>(deps, async () => {
      if (await record.landed()) return ok({ ticket, expiresAt });
      const company = await loadCompany(deps.tables, companyId);
      if (!company) return err(notFound('company', companyId));
      const written = await record.write('companies', companyId, [
        { kind: 'merge', rowKey: COMPANY_ROW_KEY, cells: {}, etag: company.etag },
        { kind: 'insert', rowKey: linkRowKey(ticket.hash), cells },
      ]);
      return written.outcome === 'committed' ? ok({ ticket, expiresAt }) : 'lost-race';
    }),
  );
}

async function pinnedConnection(
  deps: SignInDependencies,
  place: { readonly companyId: string; readonly connectionId: string },
): Promise<Result<Loaded<Connection>, Refusal>> {
  const loaded = await loadConnection(deps, place);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  if (!loaded.value) return err(notFound('connection', place.connectionId));
  if (loaded.value.value.tenantId !== undefined) return ok(loaded.value);
  const tenantId = await tenantOfVault(deps.probe, loaded.value.value);
  if (!tenantId.ok) return err(refusedBy(tenantId.error));
  return noteOnConnection(deps, loaded.value, { companyId: place.companyId, notes: { tenantId: tenantId.value } });
}
