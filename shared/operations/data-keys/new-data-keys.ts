// What a call for new data keys asks for, checked before anything is read or written. Pure.
import { DATA_KEY_MAX_BYTES, DATA_KEY_MIN_BYTES } from '../../domain/data-key-blob.ts';
import { isDataKeyId } from '../../domain/ids.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { MAX_KEYS_PER_CALL } from './unwrap.ts';

/** With a plaintext it is an import, whose buffer is overwritten in the end. Without an id, it gets one. */
export interface NewDataKey {
  readonly keyId?: string;
  readonly plaintext?: Uint8Array;
}

/** A data key with its final id and material. */
export interface IdentifiedKey {
  readonly keyId: string;
  readonly plaintext: Uint8Array;
  readonly isImport: boolean;
}

/** What an idempotency key is bound to: which keys are asked for, without their material (that is bindImports). */
export const describeNewDataKeys = (keyringId: string, keys: readonly NewDataKey[]): string =>
  JSON.stringify([keyringId, keys.map(({ keyId, plaintext }) => [keyId ?? null, plaintext?.length ?? null])]);

/** Undefined if the call is acceptable. */
export function judgeNewDataKeys(keys: readonly NewDataKey[]): Refusal | undefined {
  if (keys.length < 1 || keys.length > MAX_KEYS_PER_CALL) {
    return { type: 'invalid', target: 'keys', message: `Ask for 1 to ${MAX_KEYS_PER_CALL} data keys.` };
  }
  const ids = new Set<string>();
  for (const [index, { keyId, plaintext }] of keys.entries()) {
    if (plaintext && (plaintext.length < DATA_KEY_MIN_BYTES || plaintext.length > DATA_KEY_MAX_BYTES)) {
      const message = `An imported data key has ${DATA_KEY_MIN_BYTES} to ${DATA_KEY_MAX_BYTES} bytes.`;
      return { type: 'invalid', target: `keys[${index}].plaintext`, message };
    }
    if (keyId === undefined) continue;
    const target = `keys[${index}].keyId`;
    if (!isDataKeyId(keyId)) return { type: 'invalid', target, message: 'This cannot be the id of a data key.' };
    if (ids.has(keyId)) return { type: 'invalid', target, message: 'This id is asked for twice in one call.' };
    ids.add(keyId);
  }
  return undefined;
}
