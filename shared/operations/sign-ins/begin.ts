// Opening a link, and its button. Opening consumes nothing: scanners of mail open links too. Only the button begins a sign-in.
import type { Actor } from '../../domain/audit.ts';
import { failure } from '../../identity/failures.ts';
import { refusedBy } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { parseTicket } from '../../domain/ticket.ts';
import { countCall } from '../../store/call-limit.ts';
import { loadAsked, type Asked } from './asked.ts';
import { departToAdminConsent, departToSignIn, type Departure } from './depart.ts';
import { tidySignIns } from './tidy.ts';
import { refuse, refuseBy, type FromBrowser, type SignInDependencies, type SignInRefusal } from './step.ts';

const TIDY_ONE_IN = 16;

/** Reads only, and records nothing: opening a link that is over does no harm. A refusal names the company of a link that is known. */
export async function openLink(
  deps: SignInDependencies,
  { link }: { readonly link: string },
): Promise<Result<Asked, SignInRefusal & { readonly companyId?: string }>> {
  const ticket = parseTicket(link);
  if (!ticket) return err({ refusal: refusedBy(failure('link-unknown')) });
  const { companyId, hash: linkHash } = ticket;
  const asked = await loadAsked(deps, { companyId, linkHash });
  if (asked.ok) return asked;
  const isUnknown = asked.error.type === 'failure' && asked.error.failure.code === 'link-unknown';
  return err({ refusal: asked.error, ...(isUnknown ? {} : { companyId }) });
}

export async function begin(
  deps: SignInDependencies,
  request: { readonly link: string; readonly callbackUrl: string } & Pick<FromBrowser, 'isCrossSite'>,
  actor: Actor,
): Promise<Result<Departure, SignInRefusal>> {
  const opened = await openLink(deps, request);
  if (!opened.ok) {
    const { refusal, companyId } = opened.error;
    // An attacker can make up a link without a row, for any company.
    return companyId === undefined ? err({ refusal }) : refuseBy(deps, actor, { companyId, step: 'begin', refusal });
  }
  const asked = opened.value;
  const { companyId } = asked.company;
  const at = { companyId, step: 'begin', asked } as const;
  if (request.isCrossSite) return refuse(deps, actor, { ...at, failure: failure('cross-site-request') });
  for (const call of [{ kind: 'sign-in', linkHash: asked.linkHash } as const, { kind: 'links' } as const]) {
    const allowed = await countCall(deps, { companyId, ...call });
    if (!allowed.ok) return err({ refusal: allowed.error, asked });
  }
  // Each leaves rows that expire: as many go as come, also where no new link is made.
  if ((deps.entropy.bytes(1)[0] ?? 0) % TIDY_ONE_IN === 0) await tidySignIns(deps, companyId);
  if (asked.subject.purpose === 'consent') return ok(await departToAdminConsent(deps, asked, request.callbackUrl));
  const left = await departToSignIn(deps, asked, request.callbackUrl);
  return left.ok ? left : refuse(deps, actor, { ...at, failure: left.error });
}
