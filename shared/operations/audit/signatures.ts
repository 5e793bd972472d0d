// The signed heads of a chain, as a check of it reads them.
import { sealedBytesOfHead, type AuditRecord } from '../../domain/audit.ts';
import type { CheckedSignature } from '../../domain/audit-check.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealVerifies } from '../../domain/seal.ts';
import type { Sealer } from '../../domain/ports.ts';
import { find, walk, type Listed } from '../../store/found.ts';
import { recordRow, signedHeadRow, signedHeadsOf, type SignedHead } from '../../store/rows/audit-rows.ts';
import type { Tables } from '../../store/tables.ts';

interface SignatureReading {
  readonly tables: Tables;
  readonly sealer: Pick<Sealer, 'publicKey'>;
}

const PAGE_ROWS = 1000;

/** Those of a stretch of the chain; at most one for each of its records. */
export async function signatures(
  deps: SignatureReading,
  companyId: string,
  stretch: { readonly after: number; readonly upTo: number; readonly most?: number },
): Promise<Result<CheckedSignature[], Refusal>> {
  const checked: CheckedSignature[] = [];
  const { most = Infinity } = stretch;
  if (stretch.after >= stretch.upTo) return ok(checked);
  const keyOf = (sequence: number): string => signedHeadRow.key({ companyId, sequence });
  // Behind the row of the last sequence itself: row keys of one length sort as their numbers do.
  const range = { after: keyOf(stretch.after), before: `${keyOf(stretch.upTo)}~` };
  for await (const heads of walk(deps.tables, signedHeadsOf, { companyId }, { ...range, limit: PAGE_ROWS })) {
    for (const head of heads) {
      const signature = await checkSignature(deps, companyId, head);
      if (!signature.ok) return signature;
      checked.push(signature.value);
      if (checked.length >= most) return ok(checked);
    }
  }
  return ok(checked);
}

async function checkSignature(
  { sealer }: SignatureReading,
  companyId: string,
  { place: { sequence }, value: head }: Listed<{ readonly sequence: number }, SignedHead | undefined>,
): Promise<Result<CheckedSignature, Refusal>> {
  if (head?.sequence !== sequence) return ok({ sequence, hash: '', verified: false });
  const publicKey = await sealer.publicKey(head.seal.keyVersion);
  if (!publicKey.ok) return err(refusedBy(publicKey.error));
  const bytes = sealedBytesOfHead(companyId, head);
  const verified =
    publicKey.value !== undefined && sealVerifies({ bytes, seal: head.seal, publicKey: publicKey.value });
  return ok({ sequence, hash: head.hash, verified, isRetired: publicKey.value === undefined });
}

/** Leaves to the next check what was appended and signed since the records were read; looks at a limited number of those. */
export async function withoutLate(
  tables: Tables,
  companyId: string,
  signed: readonly CheckedSignature[],
  most: number,
): Promise<CheckedSignature[]> {
  const kept: CheckedSignature[] = [...signed.slice(most)];
  for (const signature of signed.slice(0, most)) {
    const isLate =
      signature.verified && (await recordAt(tables, companyId, signature.sequence))?.hash === signature.hash;
    if (!isLate) kept.push(signature);
  }
  return kept;
}

export const recordAt = async (tables: Tables, companyId: string, sequence: number): Promise<AuditRecord | undefined> =>
  (await find(tables, recordRow, { companyId, sequence }))?.value;
