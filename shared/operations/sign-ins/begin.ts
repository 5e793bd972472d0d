// Opening a link, and its button. Opening consumes nothing: scanners of mail open links too. Only the button begins a sign-in.
import type { Actor } from '../../domain/audit.ts';
import { failure } from '../../domain/failure-catalogue.ts';
import { ok, type Result } from '../../domain/result.ts';
import { err } from '../../domain/result.ts';
import { refusedBy } from '../../domain/refusal.ts';
import { parseTicket } from '../../domain/ticket.ts';
import { countCall } from '../call-limit.ts';
import { loadAsked, type Asked } from './asked.ts';
import { refuse } from './refused.ts';
import type { FromBrowser, SignInDependencies, SignInRefusal } from './sign-in-dependencies.ts';
import { beginStep } from './states.ts';

/** A browser on its way to somebody's sign-in page, with a new cookie. */
export interface Departure {
  readonly goTo: string;
  readonly cookie: string;
}

/** Reads only, and records nothing: whoever opens a link that is over does no harm. */
export async function openLink(
  deps: SignInDependencies,
  { link }: { readonly link: string },
): Promise<Result<Asked, SignInRefusal>> {
  const ticket = parseTicket(link);
  if (!ticket) return err({ refusal: refusedBy(failure('link-unknown')) });
  const asked = await loadAsked(deps, { companyId: ticket.companyId, linkHash: ticket.hash });
  return asked.ok ? asked : err({ refusal: asked.error });
}

export async function begin(
  deps: SignInDependencies,
  request: { readonly link: string; readonly callbackUrl: string } & Pick<FromBrowser, 'isCrossSite'>,
  actor: Actor,
): Promise<Result<Departure, SignInRefusal>> {
  const opened = await openLink(deps, request);
  if (!opened.ok) return opened;
  const asked = opened.value;
  const { companyId } = asked.company;
  if (request.isCrossSite) {
    return refuse(deps, actor, { companyId, step: 'begin', failure: failure('cross-site-request'), asked });
  }
  const allowed = await countCall(deps, { companyId, kind: 'sign-in' });
  if (!allowed.ok) return err({ refusal: allowed.error, asked });
  const step = await beginStep(deps, { companyId, leg: 'admin-consent', link: asked.linkHash });
  const { tenantId } = asked.target;
  const goTo = deps.signIns.adminConsentUrl({ tenantId, redirectUri: request.callbackUrl, state: step.state.text });
  return ok({ goTo, cookie: step.cookie });
}
