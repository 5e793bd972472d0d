// Limits how often a company's calls may reach its vault or Entra: so many a minute over all instances. What a holder of a link can do is
// counted for that link, so one holder cannot use up another's calls. The count is a row, overwritten when its minute is over.
import { NO_COMPANY } from '../domain/ids.ts';
import { notFound, type Refusal } from '../domain/refusal.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { count, text } from './rows/cells.ts';
import { limitRowKey, linkLimitRowKey } from './rows/row-keys.ts';
import { loadCompany, loadCompanyRow } from './control-state.ts';
import type { RowWrite, Tables } from './tables.ts';
import type { Clock } from '../domain/ports.ts';
import { type Races, settleRaces, undecided } from './races.ts';

export interface CallLimiting extends Races {
  readonly tables: Tables;
  readonly clock: Clock;
}

/**
 * `switch`: starts and re-keys, which ask the vendor's vault. `retry`: of switches. `steer`: pausing, resuming and confirming a switch; each is
 * recorded and makes workers look at all shards; `cancel` has a count of its own. `connection`, `keyring`, `policy`: puts, each of which costs a signature
 * of the seal key. `events`: checks of the whole chain. `links`: sign-ins of all links together, each of which leaves rows.
 */
type CompanyCall =
  | 'test'
  | 'consent'
  | 'verify'
  | 'export'
  | 'switch'
  | 'retry'
  | 'steer'
  | 'cancel'
  | 'connection'
  | 'keyring'
  | 'check'
  | 'events'
  | 'links'
  | 'refresh'
  | 'policy'
  | 'webhook';

export type LimitedCall =
  | { readonly companyId: string; readonly kind: CompanyCall }
  | { readonly companyId: string; readonly kind: 'sign-in'; readonly linkHash: string };

export const MAX_CALLS_PER_MINUTE = 30;
/** More than the holder of a link or two can use up for the others. */
export const MAX_SIGN_INS_PER_MINUTE = 10 * MAX_CALLS_PER_MINUTE;
const MINUTE_MS = 60_000;

/** Counts one call of a kind; `limited` if the minute is full. A call that is refused is not counted. */
export function countCall(deps: CallLimiting, call: LimitedCall): Promise<Result<undefined, Refusal>> {
  const rowKey = call.kind === 'sign-in' ? linkLimitRowKey(call.linkHash) : limitRowKey(call.kind);
  return settleRaces<undefined>(deps, async () => {
    // The record of a company that was deleted can still be checked.
    const load = call.kind === 'events' ? loadCompanyRow : loadCompany;
    if (call.companyId !== NO_COMPANY && !(await load(deps.tables, call.companyId)))
      return err(notFound('company', call.companyId));
    const nowMs = deps.clock.now().getTime();
    const minute = new Date(nowMs - (nowMs % MINUTE_MS)).toISOString();
    const row = await deps.tables.read('companies', call.companyId, rowKey);
    const calls = row && text(row.cells, 'minute') === minute ? (count(row.cells, 'calls') ?? 0) : 0;
    if (calls >= (call.kind === 'links' ? MAX_SIGN_INS_PER_MINUTE : MAX_CALLS_PER_MINUTE)) {
      return err({ type: 'limited', retryAfterSeconds: Math.ceil((MINUTE_MS - (nowMs % MINUTE_MS)) / 1000) });
    }
    const cells = { format: 1, minute, calls: calls + 1, ...expiryOf(call, minute) };
    const write: RowWrite = row
      ? { kind: 'replace', rowKey, cells, etag: row.etag }
      : { kind: 'insert', rowKey, cells };
    const written = await deps.tables.write('companies', call.companyId, [write]);
    // After a lost answer a call may be counted twice: the limit is then reached earlier, never later.
    return written.outcome === 'committed' ? ok(undefined) : undecided(written);
  });
}

/** A link's count expires as its sign-ins do, but not before its minute is over. */
const expiryOf = (call: LimitedCall, minute: string): { readonly expiresAt?: string } =>
  call.kind === 'sign-in' ? { expiresAt: new Date(Date.parse(minute) + MINUTE_MS).toISOString() } : {};
