// Follows a new version of the same KEK: makes all wraps of a keyring's company keys again under it; no data key is touched. Replaces exactly the
// ciphertext that was read and inserts no company key; done only when every row has the new version, also one that was added meanwhile.
import type { Actor } from '../../domain/audit.ts';
import type { CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import { providerName, type KeyTarget, type ProviderRef } from '../../domain/provider.ts';
import type { Sealer } from '../../domain/ports.ts';
import type { ReadKey } from '../../providers/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { present } from '../../domain/plain-object.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { actOnce } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import type { Found } from '../../store/found.ts';
import { settleRaces } from '../../store/races.ts';
import { companyKeysOfKeyring } from '../keys/company-key-rows.ts';
import { companyKeyWrites, type Leaving } from '../keys/former-versions.ts';
import { keyRules } from '../keys/key-rules.ts';
import type { NewerVersion } from '../keys/look-in-use.ts';
import { openWrap, targetOf, wrapOf, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { makeProvenWrap } from '../keys/make-wrap.ts';

export interface Following extends CompanyKeyOpening, Auditing, Leaving {
  readonly tables: Auditing['tables'];
  readonly sealer: Sealer;
  readonly clock: Auditing['clock'];
}

interface Follow extends KeyringPlace {
  readonly ref: ProviderRef;
  /** What was read just now. Without it, the newest version is read, and takes the place of every other. */
  readonly found?: NewerVersion;
}

export interface Followed {
  readonly keyId: string;
  /** How many wraps were made. */
  readonly rewrapped: number;
}

/**
 * Answers the versioned key id that every wrap of this provider now has. Two `unwrapKey` and one `sign` for each company key, of which a keyring has one,
 * or two during a switch. Safe to repeat, and beside a switch: the first to change a company-key row wins, and the other looks again.
 */
export function followKeyVersion(deps: Following, input: Follow, actor: Actor): Promise<Result<Followed, Refusal>> {
  let rewrapped = 0;
  return settleRaces(deps, async () => {
    const target = await targetOf(deps, input);
    if (!target.ok) return err(refusedBy(target.error));
    const key = input.found ? ok(input.found.newest) : await newestOf(deps, input.companyId, target.value);
    if (!key.ok) return err(refusedBy(key.error));
    if (key.value.unfit) return err(refusedBy(key.value.unfit));
    const { keyId } = key.value;
    const listed = await companyKeysOfKeyring(deps, input);
    if (!listed.ok) return err(refusedBy(listed.error));
    const pending = listed.value.rows.filter((row) => lagsBehind(row.value, input, keyId));
    if (pending.length === 0) return listed.value.isWhole ? ok({ keyId, rewrapped }) : 'lost-race';
    for (const row of pending) {
      const next = await rewrap(deps, { row: row.value, target: target.value, key: key.value });
      if (!next.ok) return err(refusedBy(next.error));
      const written = await replace(deps, { row, next: next.value, ref: input.ref, keyId }, actor);
      if (!written.ok) return written.error;
      rewrapped += 1;
    }
    // Look again: a row may have been added under the older version while these were written.
    return 'lost-race';
  });
}

async function newestOf(deps: Following, companyId: string, target: KeyTarget): Promise<Result<ReadKey, Failure>> {
  const provider = deps.providers.of(target.ref);
  const rules = await keyRules(deps, { companyId });
  if (!rules.ok) return rules;
  const key = await provider.read(target, { purpose: 'test', ...rules.value });
  return key.ok ? key : err(provider.explain(key.error, {}));
}

function lagsBehind(row: CompanyKeyRow, { ref, found }: Follow, keyId: string): boolean {
  const named = wrapOf(row, ref)?.keyId;
  return named !== undefined && named !== keyId && (found?.insteadOf.has(named) ?? true);
}

async function replace(
  deps: Following,
  change: {
    readonly row: Found<CompanyKeyRow>;
    readonly next: CompanyKeyRow;
    readonly ref: ProviderRef;
    readonly keyId: string;
  },
  actor: Actor,
): ReturnType<typeof actOnce> {
  const { row, next, ref, keyId } = change;
  const { companyId } = next;
  const before = wrapOf(row.value, ref)?.keyId;
  const write = await companyKeyWrites(deps, companyId, [{ held: row, next }]);
  const detail = { provider: providerName(ref), keyId, before };
  const about = { actor, action: 'key-version.followed', companyId, target: companyKeyRow.key(next), detail };
  return actOnce(deps, about, (tx) => {
    write(tx);
    return undefined;
  });
}

/** invariant A7: the older wrap goes only for one that its vault has opened again. */
async function rewrap(
  deps: Following,
  { row, target, key }: { readonly row: CompanyKeyRow; readonly target: KeyTarget; readonly key: ReadKey },
): Promise<Result<CompanyKeyRow, Failure>> {
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
