// What the checks of a connection test add up to. Pure: `now` is passed in. Decides between "denied" and "not arrived yet": we
// cannot see when a role was granted, so the time counts from consent, or from when an admin said that it was done.
import type { Connection } from './connection.ts';
import { asPropagating } from './failure-catalogue.ts';
import type { Failure, FailureCode } from './failure.ts';
import { mayPass } from './failure.ts';

export const CONNECTION_CHECKS = [
  'input',
  'dns-tls',
  'challenge',
  'entra-token',
  'key-read',
  'key-fit',
  'unwrap',
  'compare',
] as const;
export type ConnectionCheck = (typeof CONNECTION_CHECKS)[number];

/** One check may answer several: everything that is wrong with a key is said at once. */
export interface CheckResult {
  readonly check: ConnectionCheck;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'warning';
  readonly failure?: Failure;
}

export interface ConnectionTest {
  /** `waiting`: for a grant that may not have arrived yet. */
  readonly status: 'green' | 'failed' | 'waiting';
  readonly checks: readonly CheckResult[];
  readonly testedAt: string;
  readonly tenantId?: string;
  /** Object id of our service principal in the customer's tenant. */
  readonly principalId?: string;
  /** When to ask again: while waiting, and after a failure that may pass by itself. */
  readonly retryAfterSeconds?: number;
  /** While waiting: when it becomes a denial. */
  readonly becomesDeniedAt?: string;
}

export class CheckList {
  readonly #results: CheckResult[] = [];

  pass(check: ConnectionCheck): true {
    this.#results.push({ check, outcome: 'passed' });
    return true;
  }

  warn(check: ConnectionCheck, failure: Failure): void {
    this.#results.push({ check, outcome: 'warning', failure });
  }

  fail(check: ConnectionCheck, failure: Failure): false {
    this.#results.push({ check, outcome: 'failed', failure });
    return false;
  }

  /** In the order of the checks; those that were not come to are skipped. */
  results(): readonly CheckResult[] {
    return CONNECTION_CHECKS.flatMap((check): CheckResult[] => {
      const done = this.#results.filter((result) => result.check === check);
      return done.length > 0 ? done : [{ check, outcome: 'skipped' }];
    });
  }
}

const TRANSIENT_RETRY_SECONDS = 10;
const WAITING_RETRY_SECONDS = 30;
/** What a grant that has not arrived yet looks like. */
const MAY_PROPAGATE: readonly FailureCode[] = ['access-denied-rbac', 'federation-mismatch'];

export function verdictOf(
  list: CheckList,
  facts: {
    readonly connection: Connection;
    readonly now: Date;
    readonly propagationMs: number;
    readonly principalId?: string;
  },
): ConnectionTest {
  const { connection, now, propagationMs, principalId } = facts;
  const deadline = propagationDeadline(connection, propagationMs);
  const isPending = deadline !== undefined && now.getTime() < deadline;
  const checks = list.results().map((result): CheckResult => {
    if (!isPending || !result.failure || !MAY_PROPAGATE.includes(result.failure.code)) return result;
    return { ...result, failure: asPropagating(result.failure, new Date(deadline).toISOString()) };
  });
  const failed = checks.flatMap(({ outcome, failure }) => (outcome === 'failed' && failure ? [failure] : []));
  const waiting = failed.find(({ kind }) => kind === 'propagating');
  const secondsLeft = deadline === undefined ? 0 : Math.ceil((deadline - now.getTime()) / 1000);
  return {
    status: waiting ? 'waiting' : failed.length > 0 ? 'failed' : 'green',
    checks,
    testedAt: now.toISOString(),
    ...(connection.tenantId === undefined ? {} : { tenantId: connection.tenantId }),
    ...(principalId === undefined ? {} : { principalId }),
    ...(waiting ? { retryAfterSeconds: Math.min(WAITING_RETRY_SECONDS, secondsLeft) } : {}),
    ...(!waiting && failed.some(mayPass) ? { retryAfterSeconds: TRANSIENT_RETRY_SECONDS } : {}),
    ...(waiting?.becomesDeniedAt === undefined ? {} : { becomesDeniedAt: waiting.becomesDeniedAt }),
  };
}

/** Milliseconds since 1970; undefined if neither consent nor a role was ever reported. */
function propagationDeadline(connection: Connection, propagationMs: number): number | undefined {
  const granted = [connection.roleAssignedAt, connection.consentedAt]
    .map((time) => (time === undefined ? Number.NaN : Date.parse(time)))
    .filter((time) => !Number.isNaN(time));
  return granted.length === 0 ? undefined : Math.max(...granted) + propagationMs;
}
