// One call of an SDK client at a vault, and what came of it: the reply as it stood on the wire, or why there is none. The
// SDK believes whatever it is answered, so the reply itself is kept for the caller to check.
import type { GetKeyOptions } from '@azure/keyvault-keys';
import { failure, withFacts } from '../words/failures.ts';
import type { Failure, FailureCode, FailureFacts } from '../../../domain/failure.ts';
import type { VaultTarget } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { classifyVaultAnswer, type VaultAnswer } from '../answers.ts';
import { refusalIn } from '../../../adapters/https/access-refused.ts';
import { NoAnswer } from '../../../adapters/https/bounded-https.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import { readRefusal } from './vault-answers.ts';
import { noAnswerFrom } from './vault-challenge.ts';
import type { VaultConnection } from './vault-connection.ts';
import type { VaultPool } from './vault-pool.ts';

export interface VaultReply {
  readonly text: string;
  /** As a failure carries it. */
  readonly service: { readonly status: number; readonly correlationId?: string };
}

type VaultCallOptions = Required<Pick<GetKeyOptions, 'onResponse' | 'abortSignal'>>;

/** Denials after which the principal that our token names may be a former one. */
const DENIED_TO_US: readonly FailureCode[] = ['access-denied-rbac', 'access-denied-policy', 'wrong-entra-tenant'];

export async function askVault<T>(
  pool: VaultPool,
  target: VaultTarget,
  call: (connection: VaultConnection, options: VaultCallOptions) => Promise<T>,
  /** For the call as a whole, the vault's challenge and tokens included. */
  deadline = new Deadline(pool.timeoutMs),
): Promise<Result<{ readonly reply: VaultReply; readonly value: T }, Failure>> {
  const facts = pool.facts(target);
  const connection = pool.connection(target);
  if (!connection.ok) return connection;
  const ready = await connection.value.ready(deadline);
  if (!ready.ok) return err(withFacts(ready.error, facts));
  let answer: { readonly refusal: VaultAnswer; readonly text: string } | undefined;
  const onResponse: VaultCallOptions['onResponse'] = (response) => {
    answer = { refusal: readRefusal(response), text: response.bodyAsText ?? '' };
  };
  try {
    const value = await deadline.race(
      (abortSignal) => call(connection.value, { onResponse, abortSignal }),
      () => {
        throw new NoAnswer('ETIMEDOUT', `no whole answer within ${pool.timeoutMs} ms`);
      },
    );
    const { status = 0, correlationId } = answer?.refusal ?? {};
    return ok({ value, reply: { text: answer?.text ?? '', service: { status, ...correlation(correlationId) } } });
  } catch (error) {
    const refusal = refusalIn(error);
    if (refusal) return err(withFacts(refusal, facts));
    if (error instanceof NoAnswer) return err(await noAnswerFrom(error, facts));
    // The SDK has stumbled over something that the vault sent, before it let us see it.
    if (!answer)
      return err(failure('vault-error', { ...facts, detail: error instanceof Error ? error.name : 'unknown' }));
    const denial = classifyVaultAnswer(answer.refusal, facts);
    const credential = pool.credentialOf(target);
    if (credential.ok && DENIED_TO_US.includes(denial.code)) {
      pool.credentials.forget(credential.value, target.tenantId);
    }
    return err(denial);
  }
}

/** A success whose body is not what Azure documents. */
export const notUnderstood = (reply: VaultReply, facts: FailureFacts): Failure =>
  failure('vault-error', { ...facts, detail: 'an answer that cannot be understood' }, reply.service);

const correlation = (correlationId: string | undefined): { correlationId?: string } =>
  correlationId === undefined ? {} : { correlationId };
