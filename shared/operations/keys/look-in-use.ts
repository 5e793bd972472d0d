// Looks at a key as it is used: by the versions that wraps name, which may be older than the newest. A company loses what such a version no longer opens,
// whatever the newest can do; and a fault of the newest alone affects no data.
import { sameProvider, type KeyDates, type KeyTarget } from '../../domain/provider.ts';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import { refOfConnection, type Connection } from '../../domain/connection.ts';
import { asWarning, type Failure, type FailureCode } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { keyringOfUser } from '../../store/connection-use.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import type { KeyVersionInUse, Look } from '../../domain/health.ts';
import { inUse, openThrough, verifyWrap, wrapInForce, type CompanyKeyOpening } from './open-wrap.ts';
import { listCompanyKeyRows, loadKeyring } from '../../store/control-state.ts';
import type { Clock } from '../../domain/ports.ts';
import { forged } from './seals.ts';

export interface LookingAtKeys extends CompanyKeyOpening {
  readonly clock: Clock;
}

interface Held {
  readonly row: CompanyKeyRow;
  readonly wrap: Wrap;
}

/** A vault may allow unwrapping and not reading: then everything that is wrapped still opens. */
const ONLY_READING: ReadonlySet<FailureCode> = new Set<FailureCode>(['access-denied-rbac', 'access-denied-policy']);

/**
 * One `get` and one `unwrapKey` for each version in use; stops at the first that fails. Undefined if the connection wraps no company key in force.
 * `movedTo`: the same vault and key in the tenant that it was moved to.
 */
export async function lookAtKeyInUse(
  deps: LookingAtKeys,
  { companyId, connection }: { readonly companyId: string; readonly connection: Connection },
  movedTo?: KeyTarget,
): Promise<Look | undefined> {
  const held = await wrapsInUse(deps, companyId, connection);
  if (!held.ok) return { outcome: 'failed', failure: held.error, warnings: [] };
  const warnings: Failure[] = [];
  const versions: KeyVersionInUse[] = [];
  for (const one of held.value) {
    const look = await lookAtWrap(deps, one, movedTo);
    versions.push(...(look.keyVersions ?? []));
    for (const warning of look.warnings)
      if (!warnings.some(({ code }) => code === warning.code)) warnings.push(warning);
    if (look.outcome === 'failed') return { outcome: 'failed', failure: look.failure, warnings };
  }
  return held.value.length === 0 ? undefined : { outcome: 'good', warnings, keyVersions: versions };
}

async function lookAtWrap(deps: LookingAtKeys, { row, wrap }: Held, movedTo?: KeyTarget): Promise<Look> {
  const verified = await verifyWrap(deps, row, wrap);
  if (!verified.ok) return { outcome: 'failed', failure: verified.error, warnings: [] };
  const target = movedTo ?? verified.value;
  const { failure, warnings, dates = {} } = await read(deps, target, wrap.keyId);
  if (failure && !ONLY_READING.has(failure.code)) return { outcome: 'failed', failure, warnings };
  const opened = await openThrough(deps, target, { context: row, wrap });
  if (!opened.ok) return { outcome: 'failed', failure: opened.error, warnings };
  const keyVersions = [{ keyId: wrap.keyId, ...dates }];
  return { outcome: 'good', warnings: failure ? [...warnings, asWarning(failure)] : warnings, keyVersions };
}

/** Reads the version without using it. */
async function read(
  deps: LookingAtKeys,
  target: KeyTarget,
  keyId: string,
): Promise<{ readonly failure?: Failure; readonly warnings: readonly Failure[]; readonly dates?: KeyDates }> {
  // invariant A20: the version that the wrap names, not the newest
  const provider = deps.providers.of(target.ref);
  const key = await provider.read(target, { purpose: 'in-force', keyId });
  if (!key.ok) return { failure: await inUse(provider, target, { found: key.error, keyId }), warnings: [] };
  const { denials, warnings, dates } = key.value;
  const [failure] = denials;
  return { warnings, dates, ...(failure ? { failure } : {}) };
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
