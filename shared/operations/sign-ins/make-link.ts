// A link to a page of ours, with the question that it will ask. It may be sent to any address: opening it grants nothing.
import type { Act, Actor } from '../../domain/audit.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfLink } from '../../domain/seal.ts';
import type { SignInSubject } from '../../domain/sign-in-subject.ts';
import { ticketOf, TICKET_SECRET_BYTES, type Ticket } from '../../domain/ticket.ts';
import { act } from '../../store/act.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { linkRow } from '../../store/rows/sign-in-rows.ts';
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
  const { subject, about } = asking;
  const { companyId } = asking.act;
  await tidySignIns(deps, companyId);
  const ticket = ticketOf(companyId, deps.entropy.bytes(TICKET_SECRET_BYTES));
  const now = deps.clock.now();
  const expiresAt = new Date(now.getTime() + deps.signInTimes.linkMs).toISOString();
  const link = { subject, about, requestedBy: actor.by, createdAt: now.toISOString(), expiresAt };
  const seal = await deps.sealer.sign(sealedBytesOfLink(companyId, ticket.hash, link));
  if (!seal.ok) return err(refusedBy(seal.error));
  return act(deps, { actor, ...asking.act }, async (tx) => {
    tx.guard(await tx.need(companyRow, { companyId }));
    tx.insert(linkRow, ticket, { ...link, seal: seal.value });
    return ok({ ticket, expiresAt });
  });
}
