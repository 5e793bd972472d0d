// What it means that Entra gave no answer at all: nothing of a key, and it may pass. Pure, and never fails.
import { networkFault } from '../../domain/network-fault.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { failure, type EntraFailureCode } from './words/failures.ts';

export function classifyNoAnswer(
  error: { readonly errorCode?: string; readonly message?: string },
  facts: FailureFacts,
): Failure<EntraFailureCode> {
  const { what, code, said } = networkFault(error);
  const detailed = code === undefined ? facts : { ...facts, detail: code };
  return failure(what === 'unknown' ? 'entra-error' : 'entra-unreachable', detailed, said);
}
