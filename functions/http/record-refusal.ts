// What is recorded of a call that was refused: that an authenticated caller may not, and whatever says that somebody has tampered. Bounded
// by recordEvent; what the caller is answered does not depend on it.
import type { Actor } from '../../shared/domain/audit.ts';
import { isResourceId } from '../../shared/domain/ids.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import { SYSTEM_PARTITION } from '../../shared/domain/rows/row-keys.ts';
import { recordEvent, recordFailure, type Recording } from '../../shared/operations/audit/record-event.ts';
import type { Caller } from './caller.ts';
import type { EdgeRefusal } from './failure-to-response.ts';

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
  if (refused.type === 'forbidden' || refused.type === 'unknown-company') {
    const detail = { code: refused.type, asked: resourceId(params['companyId']) };
    // In the caller's own chain: the company in the path may not exist, and a name made up must not make a chain.
    const companyId = caller.companyId ?? SYSTEM_PARTITION;
    await recordEvent(deps, actor, { action: 'access.refused', companyId, target, detail, outcome: 'refused' });
  }
  if (refused.type === 'company-admin-only') {
    const { type: code, companyId } = refused;
    await recordEvent(deps, actor, {
      action: 'access.refused',
      companyId,
      target,
      detail: { code },
      outcome: 'refused',
    });
  }
  if (refused.type === 'failure') {
    const companyId = resourceId(params['companyId']) ?? SYSTEM_PARTITION;
    await recordFailure(deps, actor, { companyId, target, failure: refused.failure });
  }
}

const resourceId = (text: string | undefined): string | undefined =>
  text !== undefined && isResourceId(text) ? text : undefined;
