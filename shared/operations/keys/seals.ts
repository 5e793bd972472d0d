// Makes and checks the vendor's seal on rows that decide where a wrapped key or a token is sent. A seal that does not verify is a security event: it is
// logged by the row's name, and nothing is sent.
import type { Seal } from '../../domain/company-key.ts';
import { failure } from '../../domain/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealVerifies } from '../../domain/seal.ts';
import type { Log, Sealer } from '../../domain/ports.ts';

export interface SealCheck {
  readonly sealer: Pick<Sealer, 'publicKey'>;
  readonly log: Log;
}

/** A `row-forged` failure, logged as a security event. `row` names the row, never its content. */
export function forged(log: Log, row: { readonly companyId: string; readonly rowKey: string }): Failure {
  log.write({ level: 'error', event: 'security.row-forged', detail: { companyId: row.companyId, row: row.rowKey } });
  return failure('row-forged', { detail: row.rowKey });
}

export async function checkSeal(
  { sealer, log }: SealCheck,
  sealed: { readonly companyId: string; readonly rowKey: string; readonly bytes: Uint8Array; readonly seal: Seal },
): Promise<Result<void, Failure>> {
  const publicKey = await sealer.publicKey(sealed.seal.keyVersion);
  if (!publicKey.ok) return publicKey;
  if (publicKey.value && sealVerifies({ bytes: sealed.bytes, seal: sealed.seal, publicKey: publicKey.value })) {
    return ok(undefined);
  }
  return err(forged(log, sealed));
}
