// What it means that a vault gave no answer at all. Pure, and never fails. A name that does not exist is the vault's deletion, unless our own
// network hides it; everything else on the way may pass.
import { networkFault } from '../../domain/network-fault.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { failure } from './words/failures.ts';
import { PRIVATE_NAME } from './words/vault-network-failures.ts';

/**
 * What a second question to DNS, for aliases of a name without an address, found of it: `gone`, nothing; `private`, the alias that
 * Azure gives a vault with private endpoints, which a private zone in our own network leads nowhere
 * (https://learn.microsoft.com/azure/private-link/private-endpoint-dns); `unknown`, neither.
 */
export type NameFound = 'gone' | 'private' | 'unknown';

export function classifyNoAnswer(
  error: { readonly errorCode?: string; readonly message?: string; readonly nameFound?: NameFound },
  facts: FailureFacts,
): Failure {
  const { what, code, said } = networkFault(error);
  if (what === 'no-such-name') {
    if (error.nameFound === 'private') return failure('vault-unreachable', { ...facts, detail: PRIVATE_NAME }, said);
    return failure('vault-not-found', error.nameFound === 'gone' ? { ...facts, nameGone: true } : facts, said);
  }
  const detailed = code === undefined ? facts : { ...facts, detail: code };
  return failure(what === 'unreachable' ? 'vault-unreachable' : 'vault-error', detailed, said);
}
