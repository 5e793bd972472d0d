// Small secrets follow a new version of the vendor's own key: of each, its own key is wrapped anew and opened again by the vault; what it encrypts stays as it
// is. The row that holds them is sealed anew, and written under the ETag that it was read with.
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Seal } from '../../domain/company-key.ts';
import { providerName } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SealedSecret } from '../../domain/sealed-secret.ts';
import { act } from '../../store/act.ts';
import { findSecrets, type RowWithSecrets } from '../../store/held-secrets.ts';
import type { SealedPart } from '../../store/rows/row.ts';
import type { NewerVersion } from '../keys/look-in-use.ts';
import { rewrapSecret } from '../keys/sealed-secrets.ts';
import { checkSeal, forged } from '../keys/seals.ts';
import type { Following } from './follow-key-version.ts';

interface RowPlace {
  readonly companyId: string;
  readonly rowKey: string;
}

/** How many secrets were wrapped anew: all that are under one of the versions whose place the newest takes. Safe to repeat. */
export function followSecrets(
  deps: Following,
  { companyId, rowKey }: RowPlace,
  { newest, insteadOf }: NewerVersion,
): Promise<Result<number, Refusal>> {
  const detail = { provider: providerName(deps.providers.vendor.ref), keyId: newest.keyId };
  const about = { actor: KEYSWITCH, action: 'key-version.followed', companyId, target: rowKey, detail };
  return act<number>(deps, about, async (tx) => {
    const row = await findSecrets(deps.tables, { companyId, rowKey });
    if (row === 'unreadable') return err(refusedBy(forged(deps.log, { companyId, rowKey })));
    const lagging = (row?.secrets ?? []).filter(({ secret }) => insteadOf.has(secret.keyId));
    if (!row || lagging.length === 0) return ok(0);
    // invariant A16
    for (const part of row.parts) {
      const checked = await checkSeal(deps, { companyId, rowKey, ...part });
      if (!checked.ok) return err(refusedBy(checked.error));
    }
    const secrets: SealedSecret[] = [];
    for (const held of row.secrets) {
      const next = insteadOf.has(held.secret.keyId) ? await rewrapSecret(deps, held, newest) : ok(held.secret);
      if (!next.ok) return err(refusedBy(next.error));
      secrets.push(next.value);
    }
    const next = row.with(secrets);
    const seals = await sealed(deps, { before: row.parts, after: next.parts });
    if (!seals.ok) return seals;
    next.write(tx, seals.value);
    tx.detail({ before: lagging[0]?.secret.keyId });
    return ok(lagging.length);
  });
}

/** Signs what the change concerns; other seals of the row stay. */
async function sealed(
  { sealer }: Pick<Following, 'sealer'>,
  { before, after }: { readonly before: RowWithSecrets['parts']; readonly after: readonly SealedPart[] },
): Promise<Result<readonly Seal[], Refusal>> {
  const seals: Seal[] = [];
  for (const [index, { bytes, seal }] of after.entries()) {
    const signed = before[index]?.bytes.equals(bytes) === true ? ok(seal) : await sealer.sign(bytes);
    if (!signed.ok) return err(refusedBy(signed.error));
    seals.push(signed.value);
  }
  return ok(seals);
}
