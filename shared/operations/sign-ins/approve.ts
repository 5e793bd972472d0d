// A tenant's administrator approves a switch or an export: recorded, and the question and its link used up, in one transaction.
import type { Actor } from '../../domain/audit.ts';
import { present } from '../../domain/plain-object.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import { unverifiedTenants } from '../tenants/verifications.ts';
import { verifyTenant } from '../switches/verify-tenant.ts';
import type { Asked } from './asked.ts';
import { closeQuestion, findQuestionAgain, type Answering } from './answering.ts';
import type { SignInDependencies } from './step.ts';
import type { VerificationNow } from './subject-now.ts';

export interface Approved {
  readonly asked: Asked<VerificationNow>;
  /** How many tenants of the company are still to be verified for this approval. */
  readonly tenantsLeft: number;
}

export async function approve(
  deps: SignInDependencies,
  answering: Answering<VerificationNow>,
  actor: Actor,
): Promise<Result<Approved, Refusal>> {
  const { asked, person } = answering;
  const { companyId } = asked.company;
  const { kind, tenantId, approval, digest: destination } = asked.subject;
  const verified = {
    companyId,
    approval,
    kind,
    tenantId,
    destination,
    admin: { id: person.id, name: person.displayName, ...present({ customerId: person.customerId }) },
  };
  const recorded = await verifyTenant(deps, verified, actor, async (tx) => {
    const question = await findQuestionAgain(deps, answering);
    if (!question.ok) return question;
    closeQuestion(deps, tx, question.value, actor);
    return ok(undefined);
  });
  if (!recorded.ok) return recorded;
  // Only for the page: what waits for the last one looks by itself.
  const left = await unverifiedTenants(deps, { companyId, approval, destination, now: deps.clock.now() });
  return ok({ asked, tenantsLeft: left.ok ? left.value.length : 0 });
}
