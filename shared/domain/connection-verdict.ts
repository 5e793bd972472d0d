// The result of a connection test from its checks. Pure: `now` is passed in. Decides between "denied" and "not arrived yet": we cannot see when a
// role was granted, so the time counts from consent, or from when an admin reported the grant.
import { grantOf, isInForce, type Connection } from './connection.ts';
import { mayPass, type Failure } from './failure.ts';
import { propagationEnd, type ExcuseRecentGrant } from './propagation.ts';

export const CONNECTION_CHECKS = [
  'input',
  'dns-tls',
  'challenge',
  'consent',
  'token',
  'key-read',
  'key-fit',
  'unwrap',
  'compare',
  'in-use',
  'claim',
] as const;
export type ConnectionCheck = (typeof CONNECTION_CHECKS)[number];

/** One check may report several failures: a test names everything that is wrong with a key at once. */
export interface CheckResult {
  readonly check: ConnectionCheck;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'warning';
  readonly failure?: Failure;
}

export interface ConnectionTest {
  /** `waiting`: a recent grant may not have arrived yet. */
  readonly status: 'green' | 'failed' | 'waiting';
  readonly checks: readonly CheckResult[];
  readonly testedAt: string;
  readonly tenantId?: string;
  /** Object id of our service principal in the customer's tenant. */
  readonly principalId?: string;
  /** When to test again: while waiting, and after a failure that may pass by itself. */
  readonly retryAfterSeconds?: number;
  /** While waiting: when the failure becomes a denial. */
  readonly becomesDeniedAt?: string;
}

export class CheckList {
  readonly #results: CheckResult[] = [];

  pass(check: ConnectionCheck): true {
    this.#results.push({ check, outcome: 'passed' });
    return true;
  }

  get hasFailed(): boolean {
    return this.#results.some(({ outcome }) => outcome === 'failed');
  }

  warn(check: ConnectionCheck, failure: Failure): void {
    this.#results.push({ check, outcome: 'warning', failure });
  }

  fail(check: ConnectionCheck, failure: Failure): false {
    this.#results.push({ check, outcome: 'failed', failure });
    return false;
  }

  /** In the order of the checks. Those that were not reached are `skipped`, those that do not concern the connection left out. */
  results({ without }: { readonly without: readonly ConnectionCheck[] }): readonly CheckResult[] {
    return CONNECTION_CHECKS.flatMap((check): CheckResult[] => {
      const done = this.#results.filter((result) => result.check === check);
      if (done.length > 0 || without.includes(check)) return done;
      return [{ check, outcome: 'skipped' }];
    });
  }
}

const TRANSIENT_RETRY_SECONDS = 10;
const WAITING_RETRY_SECONDS = 30;

export function verdictOf(
  list: CheckList,
  facts: {
    readonly connection: Connection;
    readonly now: Date;
    readonly propagationMs: number;
    readonly excuse: ExcuseRecentGrant;
    /** Its key is claimed by the test, and by no consent. */
    readonly isClaimedByTest: boolean;
    readonly principalId?: string;
  },
): ConnectionTest {
  const { connection, now, propagationMs, excuse, principalId } = facts;
  const grant = grantOf(connection);
  const end = propagationEnd(grant.grantedAt, propagationMs);
  const without: ConnectionCheck[] = [facts.isClaimedByTest ? 'consent' : 'claim'];
  if (!isInForce(connection)) without.push('in-use');
  const checks = list.results({ without }).map((result): CheckResult => {
    if (!result.failure) return result;
    return { ...result, failure: excuse(result.failure, { grant, now, propagationMs }) };
  });
  const failed = checks.flatMap(({ outcome, failure }) => (outcome === 'failed' && failure ? [failure] : []));
  const waiting = failed.find(({ kind }) => kind === 'propagating');
  const secondsLeft = end === undefined ? 0 : Math.ceil((end.getTime() - now.getTime()) / 1000);
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
