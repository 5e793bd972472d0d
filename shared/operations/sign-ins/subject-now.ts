// What a link asks for, as it stands today: the connection that consent is for, or the tenant and the destination of an approval. Reads
// only.
import { createHash } from 'node:crypto';
import { isInForce, targetOfConnection, type Connection } from '../../domain/connection.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { lengthPrefixed } from '../../domain/length-prefixed.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { find, type Found } from '../../store/found.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { tenantRow } from '../../store/rows/tenant-rows.ts';
import { textsOfConnection } from '../../domain/seal.ts';
import type { ConsentSubject, SignInSubject, VerificationSubject } from '../../domain/sign-in-subject.ts';
import { loadExportState } from '../exports/export-state.ts';
import { destinationOf, type DestinationReading } from '../tenants/destination.ts';
import type { KeyDescription } from '../../providers/provider.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface ConsentNow extends ConsentSubject {
  readonly connection: Found<Connection>;
  readonly target: KeyTarget;
  readonly key: KeyDescription;
  readonly digest: string;
}

export interface VerificationNow extends VerificationSubject {
  readonly target: KeyTarget;
  readonly key: KeyDescription;
  readonly digest: string;
}

export type SubjectNow = ConsentNow | VerificationNow;

export function subjectNow(
  deps: DestinationReading,
  companyId: string,
  subject: SignInSubject,
): Promise<Result<SubjectNow, Refusal>> {
  return subject.purpose === 'consent'
    ? consentNow(deps, companyId, subject)
    : verificationNow(deps, companyId, subject);
}

async function consentNow(
  deps: DestinationReading,
  companyId: string,
  subject: ConsentSubject,
): Promise<Result<ConsentNow, Refusal>> {
  const connection = await loadConnection(deps, { companyId, connectionId: subject.connectionId });
  if (!connection.ok) return err(refusedBy(connection.error));
  const target = connection.value && targetOfConnection(connection.value.value);
  if (!connection.value || !target) return err(notFound('connection', subject.connectionId));
  const { movedTo } = subject;
  // A move is for a key in force: a company that has switched away meanwhile enters the vault anew.
  if (movedTo !== undefined && !isInForce(connection.value.value))
    return err(notFound('connection', subject.connectionId));
  return ok({
    ...subject,
    connection: connection.value,
    key: deps.providers.of(target.ref).describe(target),
    target: movedTo === undefined ? target : { ...target, tenantId: movedTo },
    digest: digestOfConnection(connection.value.value),
  });
}

async function verificationNow(
  deps: DestinationReading,
  companyId: string,
  subject: VerificationSubject,
): Promise<Result<VerificationNow, Refusal>> {
  if (!(await find(deps.tables, tenantRow, { companyId, ...subject })))
    return err(notFound('tenant', subject.tenantId));
  const { approval } = subject;
  if (approval.for === 'export') {
    const exports = await loadExportState(deps, { companyId, keyringId: approval.keyringId });
    if (!exports.ok) return err(refusedBy(exports.error));
    const { value } = exports.value;
    const message = 'The export that this was asked for has been made. Ask for a new link.';
    if (value.round !== approval.round) return err({ type: 'state', code: 'nothing-to-verify', message });
  }
  const destination = await destinationOf(deps, { companyId, approval });
  return destination.ok ? ok({ ...subject, ...destination.value }) : destination;
}

/** Everything that the page names of a connection, and that a consent is bound to. */
export const digestOfConnection = (connection: Connection): string =>
  createHash('sha256')
    .update(lengthPrefixed(textsOfConnection(connection)))
    .digest('hex');

/** What is asked about: the target of what is recorded. */
export const targetOfSubject = (companyId: string, subject: SignInSubject): string =>
  subject.purpose === 'consent'
    ? connectionRow.key({ companyId, connectionId: subject.connectionId })
    : tenantRow.key({ companyId, ...subject });
