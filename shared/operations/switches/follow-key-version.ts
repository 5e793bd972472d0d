// Follows a new version of the same KEK: makes all wraps of a keyring's company keys again under it; no data key is touched. Replaces exactly the
// ciphertext that was read and inserts nothing; done only when every row has the new version, also one that was added
// meanwhile.
import type { Actor } from '../../domain/audit.ts';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import { providerName, type KeyTarget, type ProviderRef } from '../../domain/provider.ts';
import type { ReadKey } from '../../providers/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { present } from '../../domain/plain-object.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { actOnce } from '../../store/act.ts';
import { openWrap, targetOf, wrapOf } from '../keys/open-wrap.ts';
import { listCompanyKeyRows, loadKeyring, loadSwitch, type Found } from '../../store/control-state.ts';
import { settleRaces } from '../../store/races.ts';
import { keyRules } from '../keys/key-rules.ts';
import { forged } from '../keys/seals.ts';
import { makeProvenWrap } from '../keys/make-wrap.ts';
import type { Preparing } from './prepare.ts';

export type Following = Preparing;

interface Follow {
  readonly companyId: string;
  readonly keyringId: string;
  readonly ref: ProviderRef;
}

/**
 * Answers the versioned key id that every wrap of this provider now has, and how many were made. Safe to repeat, and beside a switch: the first to
 * change a company-key row wins, and the other looks again.
 */
export function followKeyVersion(
  deps: Following,
  input: Follow,
  actor: Actor,
): Promise<Result<{ readonly keyId: string; readonly rewrapped: number }, Refusal>> {
  let rewrapped = 0;
  return settleRaces(deps, async () => {
    const target = await targetOf(deps, input);
    if (!target.ok) return err(refusedBy(target.error));
    const provider = deps.providers.of(input.ref);
    const key = await provider.read(target.value, { purpose: 'test', ...(await keyRules(deps.tables, input)) });
    if (!key.ok) return err(refusedBy(provider.explain(key.error, {})));
    const [unfit] = key.value.denials;
    if (unfit) return err(refusedBy(unfit));
    const pending = await pendingRows(deps, input, key.value.keyId);
    if (!pending.ok) return err(refusedBy(pending.error));
    const { rows, versions } = pending.value;
    if (rows.length === 0)
      return (await lacksOne(deps, input, versions)) ? 'lost-race' : ok({ keyId: key.value.keyId, rewrapped });
    for (const row of rows) {
      const next = await rewrap(deps, { row, target: target.value, key: key.value });
      if (!next.ok) return err(refusedBy(next.error));
      const detail = { provider: providerName(input.ref), keyId: key.value.keyId };
      const followed = { companyId: input.companyId, target: companyKeyRow.key(row.value), detail };
      const about = { actor, action: 'companykey.follow', ...followed };
      const written = await actOnce(deps, about, (tx) => tx.replace(row, next.value));
      if (!written.ok) return written.error;
      rewrapped += 1;
    }
    // Look again: a row may have been added under the older version while these were written.
    return 'lost-race';
  });
}

/** Rows whose wrap by this provider names another key version. */
async function pendingRows(
  deps: Following,
  input: Follow,
  keyId: string,
): Promise<
  Result<{ readonly rows: readonly Found<CompanyKeyRow>[]; readonly versions: ReadonlySet<number> }, Failure>
> {
  const rows: Found<CompanyKeyRow>[] = [];
  const listed = await listCompanyKeyRows(deps.tables, input);
  for (const { value, ...found } of listed) {
    if (!value) return err(forged(deps.log, { companyId: input.companyId, rowKey: `companykey|${input.keyringId}` }));
    const wrap = wrapOf(value, input.ref);
    if (wrap && wrap.keyId !== keyId) rows.push({ ...found, value });
  }
  return ok({ rows, versions: new Set(listed.map(({ version }) => version)) });
}

/**
 * Whether the list of company keys lacks one that the keyring or its switch needs. An admin who is told that all wraps follow disables the older key
 * version, so a list alone must not decide. Read after the list: for a key that was added or removed meanwhile, look again.
 */
async function lacksOne(
  { tables }: Following,
  { companyId, keyringId }: Follow,
  listed: ReadonlySet<number>,
): Promise<boolean> {
  const keyring = await loadKeyring(tables, { companyId, keyringId });
  if (!keyring) return false;
  const { activeVersion, switchId } = keyring.value;
  const sw = switchId === undefined ? undefined : await loadSwitch(tables, { companyId, keyringId, switchId });
  const isBetween = sw?.value.state === 're-protecting' || sw?.value.state === 'rolling-back';
  const needed = isBetween ? [sw.value.fromVersion, sw.value.toVersion] : [activeVersion];
  return needed.some((version) => !listed.has(version));
}

async function rewrap(
  deps: Following,
  input: { readonly row: Found<CompanyKeyRow>; readonly target: KeyTarget; readonly key: ReadKey },
): Promise<Result<CompanyKeyRow, Failure>> {
  const { target, key } = input;
  const row = input.row.value;
  const old = wrapOf(row, target.ref);
  if (!old) return ok(row);
  const opened = await openWrap(deps, row, old);
  if (!opened.ok) return opened;
  const companyKey = opened.value.export();
  const { guard } = old;
  const making = makeProvenWrap(deps, { target, key, companyKey, context: row, ...present({ guard }) });
  const wrap = await making.finally(() => companyKey.fill(0));
  if (!wrap.ok) return wrap;
  const isOld = (other: Wrap): boolean => providerName(other.ref) === providerName(target.ref);
  return ok({ ...row, wraps: row.wraps.map((other) => (isOld(other) ? wrap.value : other)) });
}
