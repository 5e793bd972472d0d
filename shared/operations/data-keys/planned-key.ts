// One data key on its way into its shard: its plaintext, and its row wrapped under whatever version the shard is written at.
import type { KeyObject } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES, wrapDataKey } from '../../domain/data-key-blob.ts';
import { dataKeyCells } from '../../store/rows/data-rows.ts';
import type { Cells } from '../../store/tables.ts';
import type { Entropy } from '../../domain/ports.ts';
import type { KeyringPlace } from './keyring-shards.ts';
import type { NewRow, WritePlace } from './row-change.ts';

const NOTHING = new Uint8Array(0);

export class PlannedKey implements NewRow {
  readonly kind = 'new';
  readonly keyId: string;
  readonly isImport: boolean;
  readonly plaintext: Uint8Array;
  /** Where it is written, once that is known. */
  place: WritePlace | undefined;
  /** Its plaintext is part of the answer, and so not overwritten. */
  isAnswered = false;
  readonly #keyring: KeyringPlace;
  readonly #requestId: string;
  readonly #createdAt: string;
  readonly #entropy: Pick<Entropy, 'bytes'>;
  #wrapped: { readonly version: number; readonly companyKey: KeyObject; readonly cells: Cells } | undefined;

  constructor(input: {
    readonly place: KeyringPlace;
    readonly keyId: string;
    readonly plaintext: Uint8Array;
    readonly isImport: boolean;
    readonly requestId: string;
    readonly createdAt: string;
    readonly entropy: Pick<Entropy, 'bytes'>;
  }) {
    this.keyId = input.keyId;
    this.plaintext = input.plaintext;
    this.isImport = input.isImport;
    this.#keyring = input.place;
    this.#requestId = input.requestId;
    this.#createdAt = input.createdAt;
    this.#entropy = input.entropy;
  }

  /** The same cells as the time before while the company key is the same; wrapped anew otherwise. */
  wrap(companyKey: KeyObject, version: number): Cells {
    if (this.#wrapped?.version === version && this.#wrapped.companyKey === companyKey) return this.#wrapped.cells;
    const { companyId, keyringId } = this.#keyring;
    const blob = wrapDataKey({
      companyKey,
      context: { companyId, keyringId, keyId: this.keyId, companyKeyVersion: version },
      nonce: this.#entropy.bytes(DATA_KEY_NONCE_BYTES),
      plaintext: this.plaintext,
    });
    const cells = dataKeyCells({
      keyId: this.keyId,
      state: 'live',
      origin: this.isImport ? 'imported' : 'generated',
      blob,
      companyKeyVersion: version,
      previous: NOTHING,
      previousVersion: 0,
      createdBy: this.#requestId,
      writtenBy: this.#requestId,
      createdAt: this.#createdAt,
    });
    this.#wrapped = { version, companyKey, cells };
    return cells;
  }

  /** The answer for a key whose row is known to be written as it was wrapped last. */
  answer(): { outcome: 'created'; keyId: string; companyKeyVersion: number; plaintext?: Uint8Array } {
    const created = { outcome: 'created', keyId: this.keyId, companyKeyVersion: this.#wrapped?.version ?? 0 } as const;
    if (this.isImport) return created;
    this.isAnswered = true;
    return { ...created, plaintext: this.plaintext };
  }
}
