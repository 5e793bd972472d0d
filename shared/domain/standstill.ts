// Why an unfinished switch does not move, as its own row says it. Pure.
import type { FailureCode, FailureOwner } from './failure.ts';
import { awaitsItsAdmin, isEnded, type Switch } from './switch.ts';

export interface Standstill {
  /** `failure` may pass by itself; `blocked-…` and `paused` wait for an admin's decision, the rest for an approval. */
  readonly reason:
    `blocked-${NonNullable<Switch['blocked']>['reason']}` | 'failure' | 'paused' | 'company-admin' | 'tenants';
  readonly since: string;
  /** Of the failure that it met, if one did it. */
  readonly code?: FailureCode;
  readonly owner?: FailureOwner;
}

/** Undefined for one that moves, or has ended. */
export function standstillOf(sw: Switch): Standstill | undefined {
  if (isEnded(sw.state)) return undefined;
  const { blocked, trouble, createdAt, turnedAt } = sw;
  if (blocked) {
    const { reason, since } = blocked;
    const failure = 'failure' in blocked ? { code: blocked.failure.code, owner: blocked.failure.owner } : {};
    return { reason: `blocked-${reason}`, since, ...failure };
  }
  if (sw.paused) return { reason: 'paused', since: turnedAt ?? createdAt };
  if (trouble)
    return { reason: 'failure', since: trouble.since, code: trouble.failure.code, owner: trouble.failure.owner };
  if (awaitsItsAdmin(sw)) return { reason: 'company-admin', since: createdAt };
  return sw.state === 'pending-verification' ? { reason: 'tenants', since: createdAt } : undefined;
}
