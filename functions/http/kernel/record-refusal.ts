// Records refused calls: an authenticated caller was not allowed, or a failure shows tampering. Bounded by recordEvent; the caller's answer does not
// depend on it.
import type { Actor } from '../../../shared/domain/audit.ts';
import { isResourceId } from '../../../shared/domain/ids.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import { NO_COMPANY } from '../../../shared/domain/ids.ts';
import { recordEvent, recordFailure, type Recording } from '../../../shared/store/record-event.ts';
import type { Caller } from './caller.ts';
import type { EdgeRefusal } from './errors.ts';

interface RefusedCall {
  readonly route: { readonly operationId: string };
  readonly params: Readonly<Record<string, string>>;
  readonly caller: Caller | undefined;
  readonly from: string;
  readonly requestId: string;
  readonly refused: Refusal | EdgeRefusal;
}

export async function recordRefusal(deps: Recording, call: RefusedCall): Promise<void> {
  const { caller, from, requestId, refused, params } = call;
  if (!caller) return;
  const actor: Actor = { by: caller.subject, from, requestId };
  const target = call.route.operationId;
  const record = (companyId: string, detail: Readonly<Record<string, string | undefined>>): Promise<boolean> =>
    recordEvent(deps, actor, { action: 'access.refused', companyId, target, detail, outcome: 'refused' });
  if (OF_THE_CALLER.has(refused.type)) {
    // In the caller's own chain: the company in the path may not exist, and a name made up must not make a chain.
    const asked = resourceId(params['companyId']);
    await record(caller.companyId ?? NO_COMPANY, { code: refused.type, asked });
  }
  if (refused.type === 'company-admin-only' || refused.type === 'vendor-admin-only')
    await record(refused.companyId, { code: refused.type });
  if (refused.type === 'failure') {
    const companyId = resourceId(params['companyId']) ?? NO_COMPANY;
    await recordFailure(deps, actor, { companyId, target, failure: refused.failure });
  }
}

/** The call is not for this caller. */
const OF_THE_CALLER: ReadonlySet<RefusedCall['refused']['type']> = new Set<EdgeRefusal['type']>([
  'forbidden',
  'unknown-company',
  'unknown-keyring',
  'token-confined',
  'confinement-required',
  'confinement-unreadable',
]);

const resourceId = (text: string | undefined): string | undefined =>
  text !== undefined && isResourceId(text) ? text : undefined;
