// Looks at a key as it is used: by the versions that wraps name, which may be older than the newest. A company loses what such a version no longer opens,
// whatever the newest can do; and a fault of the newest alone affects no data.
import { sameProvider, type KeyTarget } from '../../domain/provider.ts';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import { refOfConnection, type Connection } from '../../domain/connection.ts';
import { asWarning, type Failure, type FailureCode } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { keyringOfUser } from '../../store/connection-use.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import type { KeyVersionInUse, Look } from '../../domain/health.ts';
import { openThrough, verifyWrap, wrapInForce, type CompanyKeyOpening } from './open-wrap.ts';
import { listCompanyKeyRows, loadKeyring } from '../../store/control-state.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ToRead } from '../../domain/key-versions.ts';
import type { ReadKey } from '../../providers/provider.ts';
import { forged } from './seals.ts';
import { keyRules } from './key-rules.ts';
import { VersionReadings } from './version-readings.ts';

export interface LookingAtKeys extends CompanyKeyOpening {
  readonly clock: Clock;
}

interface Held {
  readonly row: CompanyKeyRow;
  readonly wrap: Wrap;
}

/** A vault may allow unwrapping and not reading: then everything that is wrapped still opens. */
const ONLY_READING: ReadonlySet<FailureCode> = new Set<FailureCode>(['access-denied-rbac', 'access-denied-policy']);

/** A version of a key, and those whose place it takes. Another instance may know a newer one still: what that has wrapped stays. */
export interface NewerVersion {
  readonly newest: ReadKey;
  readonly insteadOf: ReadonlySet<string>;
}

export type LookInUse = Look & {
  /** A newer version that is to be followed. */
  readonly newer?: NewerVersion;
};

interface LookOptions {
  /** The same vault and key in the tenant that it was moved to. */
  readonly movedTo?: KeyTarget;
  /** Of a check, which has two calls. Without it, the versions in use. */
  readonly reads?: ToRead;
}

/**
 * One `get` and one `unwrapKey` for each version in use, and one `get` more where the newest is another; stops at the first that fails. Undefined if the
 * connection wraps no company key in force.
 */
export async function lookAtKeyInUse(
  deps: LookingAtKeys,
  { companyId, connection }: { readonly companyId: string; readonly connection: Connection },
  options: LookOptions = {},
): Promise<LookInUse | undefined> {
  const held = await wrapsInUse(deps, companyId, connection);
  if (!held.ok) return { outcome: 'failed', failure: held.error, warnings: [] };
  if (held.value.length === 0) return undefined;
  // Without the company's rules no newer version may be followed; what is in use is looked at all the same.
  const rules = await keyRules(deps, { companyId });
  const reads = rules.ok ? options.reads : 'in-use';
  const readings = new VersionReadings(deps.providers, { reads, rules: rules.ok ? rules.value : {} });
  const warnings: Failure[] = rules.ok ? [] : [asWarning(rules.error)];
  const keyVersions: KeyVersionInUse[] = [];
  const insteadOf = new Set<string>();
  let unread = {};
  for (const one of held.value) {
    const look = await lookAtWrap(deps, one, readings, options.movedTo);
    keyVersions.push(...(look.keyVersions ?? []));
    for (const warning of look.warnings)
      if (!warnings.some(({ code }) => code === warning.code)) warnings.push(warning);
    if (look.outcome === 'failed') return { outcome: 'failed', failure: look.failure, warnings };
    if (look.isToBeFollowed) insteadOf.add(one.wrap.keyId);
    if (look.isUnread) unread = { isUnread: true };
  }
  const { newest } = readings;
  const newer = newest && insteadOf.size > 0 ? { newer: { newest, insteadOf } } : {};
  return { outcome: 'good', warnings, keyVersions, ...unread, ...newer };
}

async function lookAtWrap(
  deps: LookingAtKeys,
  { row, wrap }: Held,
  readings: VersionReadings,
  movedTo: KeyTarget | undefined,
): Promise<Look & { readonly isToBeFollowed?: boolean }> {
  const verified = await verifyWrap(deps, row, wrap);
  if (!verified.ok) return { outcome: 'failed', failure: verified.error, warnings: [] };
  const target = movedTo ?? verified.value;
  const { failure, warnings, dates = {}, isUnread, isToBeFollowed } = await readings.read(target, wrap.keyId);
  if (failure && !ONLY_READING.has(failure.code)) return { outcome: 'failed', failure, warnings };
  const opened = await openThrough(deps, target, { context: row, wrap });
  if (!opened.ok) return { outcome: 'failed', failure: opened.error, warnings };
  const keyVersions = isUnread ? [] : [{ keyId: wrap.keyId, ...dates }];
  const all = failure ? [...warnings, asWarning(failure)] : warnings;
  return { outcome: 'good', warnings: all, keyVersions, ...present({ isUnread, isToBeFollowed }) };
}

/** The wraps in force by this connection, one for each version of its key. Their seals are not checked here. */
async function wrapsInUse(
  deps: LookingAtKeys,
  companyId: string,
  connection: Connection,
): Promise<Result<readonly Held[], Failure>> {
  const provider = refOfConnection(connection);
  const held = new Map<string, Held>();
  for (const user of connection.usedBy) {
    const place = keyringOfUser(companyId, user);
    if (!place || !(await loadKeyring(deps.tables, place))) continue;
    for (const { value: row } of await listCompanyKeyRows(deps.tables, place)) {
      if (!row) return err(forged(deps.log, { companyId, rowKey: keyringRow.key(place) }));
      const wrap = wrapInForce(row);
      const isIts = wrap !== undefined && sameProvider(wrap.ref, provider);
      if (isIts && !held.has(wrap.keyId)) held.set(wrap.keyId, { row, wrap });
    }
  }
  return ok([...held.values()]);
}
