// What a link asks for. Whoever says yes says it to exactly what stood on the page: once that has changed, the link is void. Reads only,
// and consumes nothing.
import { failure } from '../../domain/failure-catalogue.ts';
import type { Company } from '../../domain/keyring.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { linkRowKey } from '../../domain/rows/row-keys.ts';
import { readLink, type SignInLink } from '../../domain/rows/sign-in-rows.ts';
import { loadCompany, type Loaded } from '../control-state.ts';
import type { Clock } from '../ports.ts';
import type { DestinationReading } from '../tenants/destination.ts';
import { subjectNow, type SubjectNow } from './subject-now.ts';

export interface Asked<S extends SubjectNow = SubjectNow> {
  readonly company: Company;
  /** Hash of the link's ticket. */
  readonly linkHash: string;
  readonly link: Loaded<SignInLink>;
  readonly subject: S;
}

/** `link-unknown`, `link-done`, or `link-expired` if its time is over or what it asked for is another thing now. */
export async function loadAsked(
  deps: DestinationReading & { readonly clock: Clock },
  place: { readonly companyId: string; readonly linkHash: string },
): Promise<Result<Asked, Refusal>> {
  const { companyId, linkHash } = place;
  const [company, row] = await Promise.all([
    loadCompany(deps.tables, companyId),
    deps.tables.read('companies', companyId, linkRowKey(linkHash)),
  ]);
  if (company?.value.state !== 'active' || !row) return err(refusedBy(failure('link-unknown')));
  const link = { value: readLink(row.cells), etag: row.etag };
  if (link.value.doneAt !== undefined) return err(refusedBy(failure('link-done')));
  if (deps.clock.now() >= new Date(link.value.expiresAt)) return err(refusedBy(failure('link-expired')));
  const subject = await subjectNow(deps, companyId, link.value.subject);
  if (!subject.ok && subject.error.type !== 'not-found') return subject;
  if (!subject.ok || subject.value.digest !== link.value.about) {
    const detail = 'what it asks for has been changed since';
    return err(refusedBy(failure('link-expired', { detail })));
  }
  return ok({ company: company.value, linkHash, link, subject: subject.value });
}
