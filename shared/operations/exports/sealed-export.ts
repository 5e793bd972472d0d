// A company key sealed to the recipient of an export: opened through the vault in force and through no cache, so that a revoked key is not exported.
import { encodeExport, EXPORT_FORMAT } from '../../domain/company-key-export.ts';
import type { CompanyKeyRow } from '../../domain/company-key.ts';
import type { ExportRecipient } from '../../domain/export-recipient.ts';
import type { Keyring, KeyringPlace } from '../../domain/keyring.ts';
import type { Clock, ExportSealer } from '../../domain/ports.ts';
import { sameProvider } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { loadReadableCompanyKey, openWrap, wrapInForce, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { forged } from '../keys/seals.ts';

export interface ExportSealing extends CompanyKeyOpening {
  readonly exportSealer: ExportSealer;
  readonly clock: Clock;
}

export interface SealedExport {
  readonly format: typeof EXPORT_FORMAT;
  readonly keyringId: string;
  /** The company-key versions that are inside. */
  readonly versions: readonly number[];
  readonly jwe: string;
}

export interface ExportOrder extends KeyringPlace {
  readonly recipient: ExportRecipient;
}

/** Seals once for each state of the company key: an attempt that lost a race need not ask the vault again. */
export class SealedOnce {
  readonly #deps: ExportSealing;
  readonly #order: ExportOrder;
  #sealed: { readonly etag: string; readonly answer: SealedExport } | undefined;

  constructor(deps: ExportSealing, order: ExportOrder) {
    this.#deps = deps;
    this.#order = order;
  }

  /** `lost-race` if a switch has ended since the keyring was read. */
  async of(keyring: Keyring): Promise<Result<SealedExport, Refusal> | 'lost-race'> {
    const { companyId, keyringId } = this.#order;
    const row = await loadReadableCompanyKey(this.#deps, { companyId, keyringId, version: keyring.activeVersion });
    if (!row.ok) return err(refusedBy(row.error));
    if (!row.value) return 'lost-race';
    const { value, etag } = row.value;
    if (this.#sealed?.etag === etag) return ok(this.#sealed.answer);
    const jwe = await this.#encrypted(keyring, value);
    if (!jwe.ok) return jwe;
    const versions = [keyring.activeVersion];
    const answer: SealedExport = { format: EXPORT_FORMAT, keyringId, versions, jwe: jwe.value };
    this.#sealed = { etag, answer };
    return ok(answer);
  }

  async #encrypted(keyring: Keyring, row: CompanyKeyRow): Promise<Result<string, Refusal>> {
    const { companyId, keyringId, recipient } = this.#order;
    const wrap = wrapInForce(row);
    const rowKey = companyKeyRow.key({ companyId, keyringId, version: row.version });
    // Tenants approve an export of a key that is in the vault which the keyring names.
    if (!wrap || !sameProvider(wrap.ref, keyring.provider))
      return err(refusedBy(forged(this.#deps.log, { companyId, rowKey })));
    const companyKey = await openWrap(this.#deps, row, wrap);
    if (!companyKey.ok) return err(refusedBy(companyKey.error));
    const content = encodeExport({
      companyId,
      keyringId,
      provider: keyring.provider,
      keyId: wrap.keyId,
      madeAt: this.#deps.clock.now().toISOString(),
      versions: [{ version: row.version, companyKey: companyKey.value }],
    });
    try {
      return ok(await this.#deps.exportSealer.seal(content, recipient));
    } finally {
      // invariant A21
      content.fill(0);
    }
  }
}
