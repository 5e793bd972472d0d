// What a link asks for. A yes holds for exactly what stood on the page: once that has changed, the link is void. Reads only, and uses nothing up.
import { failure } from '../../identity/failures.ts';
import type { Company } from '../../domain/keyring.ts';
import { refusedBy, type Refusal, type StateCode } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignInLink } from '../../domain/sign-in-link.ts';
import { sealedBytesOfLink, type Shown } from '../../domain/seal.ts';
import { loadCompany } from '../../store/control-state.ts';
import { find, type Found } from '../../store/found.ts';
import { linkRow } from '../../store/rows/sign-in-rows.ts';
import type { Clock } from '../../domain/ports.ts';
import { checkSeal } from '../keys/seals.ts';
import type { DestinationReading } from '../tenants/destination.ts';
import { subjectNow, type SubjectNow } from './subject-now.ts';

export interface Asked<S extends SubjectNow = SubjectNow> {
  readonly company: Company;
  /** Hash of the link's ticket. */
  readonly linkHash: string;
  readonly link: Found<SignInLink>;
  readonly subject: S;
}

/** `link-unknown`, `row-forged`, `link-done`, or `link-expired` if its time is over or what it asked for is another thing now, or over. */
export async function loadAsked(
  deps: DestinationReading & { readonly clock: Clock },
  place: { readonly companyId: string; readonly linkHash: string },
): Promise<Result<Asked, Refusal>> {
  const { companyId, linkHash } = place;
  const [company, link] = await Promise.all([
    loadCompany(deps.tables, companyId),
    find(deps.tables, linkRow, { companyId, hash: linkHash }),
  ]);
  if (company?.value.state !== 'active' || !link) return err(refusedBy(failure('link-unknown')));
  const bytes = sealedBytesOfLink(companyId, linkHash, link.value);
  const sealed = await checkSeal(deps, { companyId, rowKey: link.at.rowKey, bytes, seal: link.value.seal });
  if (!sealed.ok) return err(refusedBy(sealed.error));
  if (link.value.doneAt !== undefined) return err(refusedBy(failure('link-done')));
  if (deps.clock.now() >= new Date(link.value.expiresAt)) return err(refusedBy(failure('link-expired')));
  const subject = await subjectNow(deps, companyId, link.value.subject);
  if (!subject.ok) return err(voidBy(subject.error));
  if (subject.value.digest !== link.value.about) return err(expired(CHANGED));
  return ok({ company: company.value, linkHash, link, subject: subject.value });
}

/** What the page of the second question shows, as it is sealed. */
export const shownOf = ({ subject, link }: Asked): Shown => ({ subject, about: link.value.about });

const CHANGED = 'what it asks for has been changed since';
/** Why a link is over: what a caller of the API is told as a state, in words for the person who opens the link. */
const OVER = new Map<StateCode, string>([
  ['switch-ended', 'the switch that it asks about has ended'],
  ['nothing-to-verify', 'what it asks about has been done, or is nothing that needs an approval'],
]);

const expired = (detail: string): Refusal => refusedBy(failure('link-expired', { detail }));

function voidBy(refusal: Refusal): Refusal {
  if (refusal.type === 'not-found') return expired(CHANGED);
  const detail = refusal.type === 'state' ? OVER.get(refusal.code) : undefined;
  return detail === undefined ? refusal : expired(detail);
}
