// Consent as a fact: the vault names that tenant, its directory gives a token for it, the company claims the vault key, and then one transaction writes the
// sealed consent to the connection and uses up the question and the link. A claim without the rest does no harm. In a tenant that a vault in force
// was moved to, the row keeps it beside the consent that counts, until `completeMove` has seen the key there open what is in use.
import type { Actor } from '../../domain/audit.ts';
import type { Connection, Consent } from '../../domain/connection.ts';
import { failure } from '../../identity/failures.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { OWNER_OF_VAULTS } from '../../identity/registry/tenant-kinds.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfConsent, sealedBytesOfMove } from '../../domain/seal.ts';
import { isAdminOf } from '../../domain/tenant.ts';
import { act, type Acted } from '../../store/act.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import type { Tx } from '../../store/tx.ts';
import type { Sealer } from '../../domain/ports.ts';
import { goOnWithConsent } from '../switches/trouble.ts';
import { claimVaultKey } from '../connections/vault-claims.ts';
import type { Asked } from './asked.ts';
import { closeQuestion, findQuestionAgain, type Answering } from './answering.ts';
import type { SignInDependencies } from './step.ts';
import type { ConsentNow } from './subject-now.ts';

export interface Granted {
  readonly asked: Asked<ConsentNow>;
  /** Object id of the app's service principal in the tenant. */
  readonly principalId: string;
}

export async function grantConsent(
  deps: SignInDependencies,
  answering: Answering<ConsentNow>,
  actor: Actor,
): Promise<Result<Granted, Refusal>> {
  const { asked, person } = answering;
  const { companyId } = asked.company;
  const { target, connection } = asked.subject;
  const { tenantId } = target;
  if (!isAdminOf(person.id, tenantId)) return err(refusedBy(OWNER_OF_VAULTS.notItsAdmin(tenantId)));
  // The claim below is to the vault's key, so it takes the vault's own word that this tenant is the one whose administrator consents.
  const provider = deps.providers.of(target.ref);
  const explained = (found: Failure, facts: FailureFacts = {}): Result<never, Refusal> =>
    err(refusedBy(provider.explain(found, { connection: connection.value, facts })));
  const owner = await provider.probe.owner(target);
  if (!owner.ok) return explained(owner.error);
  const token = await provider.probe.enter(target);
  if (!token.ok) return explained(deps.signIns.consent.excuseFresh(token.error), { tenantId });
  const claimed = await claimVaultKey(deps, { companyId, host: target.host, keyName: target.keyName });
  if (!claimed.ok) return claimed;
  const { principalId } = token.value;
  const rowKey = connection.at.rowKey;
  const { movedTo } = asked.subject;
  const movedFrom = movedTo === undefined ? undefined : connection.value.tenantId;
  const detail = { tenantId, movedFrom, ...provider.describe(target), principalId };
  const about = { actor, action: 'consent.grant', companyId, target: rowKey, detail };
  const granted = await act<Granted>(deps, about, (tx) => tryGrant(deps, tx, { answering, actor, principalId }));
  if (granted.ok) await goOnWithConsent(deps, { companyId, usedBy: connection.value.usedBy });
  deps.log.write({
    level: granted.ok ? 'info' : 'warning',
    event: granted.ok ? 'consent.granted' : 'consent.not-granted',
    detail: { companyId, connection: rowKey, admin: person.id },
  });
  return granted;
}

async function tryGrant(
  deps: SignInDependencies,
  tx: Tx,
  attempt: { readonly answering: Answering<ConsentNow>; readonly actor: Actor; readonly principalId: string },
): Promise<Acted<Granted>> {
  const { answering, actor, principalId } = attempt;
  const { companyId } = answering.asked.company;
  const company = await tx.find(companyRow, { companyId });
  const question = await findQuestionAgain(deps, answering);
  if (!question.ok) return question;
  const { asked } = question.value;
  const { subject } = asked;
  if (!company || subject.purpose !== 'consent') return err(refusedBy(failure('link-unknown')));
  const { connection, movedTo } = subject;
  const given = { grantedAt: deps.clock.now().toISOString(), adminId: answering.person.id };
  const consented = await withConsent(deps.sealer, companyId, { connection: connection.value, given, movedTo });
  if (!consented.ok) return consented;
  tx.guard(company);
  tx.merge(connection, consented.value, [movedTo === undefined ? 'consent' : 'move']);
  closeQuestion(deps, tx, question.value, actor);
  return ok({ asked: { ...asked, subject }, principalId });
}

/** The connection under a sealed consent; in a tenant that the vault was moved to, beside the consent that counts. */
async function withConsent(
  sealer: Pick<Sealer, 'sign'>,
  companyId: string,
  asked: {
    readonly connection: Connection;
    readonly given: Omit<Consent, 'seal'>;
    readonly movedTo: string | undefined;
  },
): Promise<Result<Connection, Refusal>> {
  const { connection, given, movedTo } = asked;
  const move = movedTo === undefined ? undefined : { ...given, tenantId: movedTo };
  const seal = await sealer.sign(
    move ? sealedBytesOfMove(companyId, connection, move) : sealedBytesOfConsent(companyId, connection, given),
  );
  if (!seal.ok) return err(refusedBy(seal.error));
  return ok(
    move
      ? { ...connection, move: { ...move, seal: seal.value } }
      : { ...connection, consent: { ...given, seal: seal.value } },
  );
}
