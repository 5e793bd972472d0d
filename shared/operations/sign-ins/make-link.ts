// A link to a page of ours, with the question that it will ask. May be sent to anybody: it gives nothing to whoever opens it.
import type { Act, Actor } from '../../domain/audit.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { linkRowKey } from '../../store/rows/row-keys.ts';
import { linkCells } from '../../store/rows/sign-in-rows.ts';
import { sealedBytesOfLink } from '../../domain/seal.ts';
import type { SignInSubject } from '../../domain/sign-in-subject.ts';
import { ticketOf, TICKET_SECRET_BYTES, type Ticket } from '../../domain/ticket.ts';
import { audited } from '../../store/audited.ts';
import { loadCompany } from '../../store/control-state.ts';
import { settleRaces, undecided } from '../../store/races.ts';
import { guardCompany } from '../../store/control-writes.ts';
import type { SignInDependencies } from './step.ts';
import { tidySignIns } from './tidy.ts';

export interface MadeLink {
  readonly ticket: Ticket;
  readonly expiresAt: string;
}

/** `about` is the digest of what the subject leads to now. */
export async function makeLink(
  deps: SignInDependencies,
  asking: { readonly act: Act; readonly subject: SignInSubject; readonly about: string },
  actor: Actor,
): Promise<Result<MadeLink, Refusal>> {
  const { act, subject, about } = asking;
  const { companyId } = act;
  await tidySignIns(deps, companyId);
  const ticket = ticketOf(companyId, deps.entropy.bytes(TICKET_SECRET_BYTES));
  const now = deps.clock.now();
  const expiresAt = new Date(now.getTime() + deps.signInTimes.linkMs).toISOString();
  const link = { subject, about, requestedBy: actor.by, createdAt: now.toISOString(), expiresAt };
  const seal = await deps.sealer.sign(sealedBytesOfLink(companyId, ticket.hash, link));
  if (!seal.ok) return err(refusedBy(seal.error));
  const cells = linkCells({ ...link, seal: seal.value });
  return audited(deps, actor, act, (record) =>
    settleRaces<MadeLink>(deps, async () => {
      if (await record.landed()) return ok({ ticket, expiresAt });
      const company = await loadCompany(deps.tables, companyId);
      if (!company) return err(notFound('company', companyId));
      const insert = { kind: 'insert', rowKey: linkRowKey(ticket.hash), cells } as const;
      const written = await record.write('companies', companyId, [guardCompany(company), insert]);
      return written.outcome === 'committed' ? ok({ ticket, expiresAt }) : undecided(written);
    }),
  );
}
