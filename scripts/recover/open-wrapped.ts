// One wrapped data key, opened by the exported company key, or why it does not open. Pure.
import type { CompanyKeyExport } from '../../shared/domain/company-key-export.ts';
import { unwrapDataKey } from '../../shared/domain/data-key-blob.ts';
import { isDataKeyId } from '../../shared/domain/ids.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import { isRecord } from '../../shared/domain/plain-object.ts';
import type { DumpEntry } from './read-dump.ts';

export interface OpenedKey {
  readonly keyId: string;
  /** Whoever has written it overwrites it. */
  readonly key: Buffer;
}

/** An error names the key, and repeats nothing else. */
export function openWrapped(content: CompanyKeyExport, { place, value }: DumpEntry): Result<OpenedKey, string> {
  if (!isRecord(value)) return err(`${place} is no data key`);
  const { keyId, companyKeyVersion, wrapped, state } = value;
  if (typeof keyId !== 'string' || !isDataKeyId(keyId)) return err(`${place} has no id of a data key`);
  if (typeof wrapped !== 'string')
    return err(`'${keyId}' comes without its wrapped form: list the data keys with wrapped=true`);
  if (typeof companyKeyVersion !== 'number') return err(`'${keyId}' does not say which company key it is under`);
  const version = content.versions.find((one) => one.version === companyKeyVersion);
  if (!version) return err(`'${keyId}' is under company key ${companyKeyVersion}, which is not in the export`);
  const { companyId, keyringId } = content;
  const key = unwrapDataKey({
    companyKey: version.companyKey,
    context: { companyId, keyringId, keyId, companyKeyVersion },
    blob: Buffer.from(wrapped, 'base64url'),
  });
  if (key) return ok({ keyId, key });
  return err(
    `'${keyId}' does not open${state === 'lost' || state === 'quarantined' ? `; Keyswitch had it as ${state}` : ''}`,
  );
}
