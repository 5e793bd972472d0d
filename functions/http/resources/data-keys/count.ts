// Counting calls for data keys, each call and each key by its outcome, and recording at once what a failure says of tampering. The counts
// stay in memory: nothing here waits for a table but a security event.
import type { Failure } from '../../../../shared/domain/failure.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import type { Result } from '../../../../shared/domain/result.ts';
import { recordDataKeyCalls, type CallCounting } from '../../../../shared/operations/audit/data-key-calls.ts';
import { recordFailure } from '../../../../shared/store/record-event.ts';
import type { CallContext } from '../../kernel/route.ts';

interface KeyOutcome {
  readonly outcome: string;
  readonly failure?: Failure;
}

type KeyCall = CallContext & { readonly path: { readonly companyId: string } };

/** Counts what came of a call, and answers it as it is. A company or keyring that is not there is not counted: a name made up makes no chain. */
export async function counted<T>(
  deps: CallCounting,
  call: KeyCall,
  done: {
    readonly operationId: string;
    readonly result: Result<T, Refusal>;
    readonly keys?: (value: T) => readonly KeyOutcome[];
  },
): Promise<Result<T, Refusal>> {
  const { operationId, result } = done;
  const { companyId } = call.path;
  const caller = call.subject;
  if (!result.ok) {
    const { error } = result;
    if (error.type === 'not-found' && error.what !== 'data-key') return result;
    deps.dataKeyCalls.add(companyId, `${operationId}: calls refused, ${codeOf(error)}`, { caller, count: 1 });
  } else {
    deps.dataKeyCalls.add(companyId, `${operationId}: calls answered`, { caller, count: 1 });
    const keys = done.keys?.(result.value) ?? [];
    for (const [outcome, count] of tallyOf(keys)) {
      deps.dataKeyCalls.add(companyId, `${operationId}: keys ${outcome}`, { caller, count });
    }
    const failure = keys.find((key) => key.failure)?.failure;
    if (failure) await recordFailure(deps, call.actor, { companyId, target: operationId, failure });
  }
  if (deps.dataKeyCalls.isDue) void recordInBackground(deps);
  return result;
}

function tallyOf(keys: readonly KeyOutcome[]): ReadonlyMap<string, number> {
  const tally = new Map<string, number>();
  for (const { outcome } of keys) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  return tally;
}

function codeOf(refusal: Refusal): string {
  if (refusal.type === 'failure') return refusal.failure.code;
  return refusal.type === 'state' ? refusal.code : refusal.type;
}

/** The call does not wait for the record of an earlier minute. */
async function recordInBackground(deps: CallCounting): Promise<void> {
  try {
    await recordDataKeyCalls(deps);
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    deps.log.write({ level: 'error', event: 'audit.bug', detail: { error: name } });
  }
}
