// A company whose switch has just ended, and all that exporting its company key needs, in memory.
import { destinationDigest } from '../../../shared/domain/approval.ts';
import {
  approvedRecipient,
  parseExportRecipient,
  type ExportRecipient,
} from '../../../shared/domain/export-recipient.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import { exportCompanyKey, type Exporting } from '../../../shared/operations/exports/export-company-key.ts';
import type { SealedExport } from '../../../shared/operations/exports/sealed-export.ts';
import { loadExportState } from '../../../shared/operations/exports/export-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { putTenant } from '../../../shared/operations/tenants/tenants.ts';
import { recordVerification } from '../../../shared/operations/tenants/verifications.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeExportSealer } from '../../fakes/fake-export-sealer.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig } from '../switches/rig.ts';

export const PLACE = { companyId: COMPANY, keyringId: KEYRING };
export const HOUR_MS = 3_600_000;
export const PASSPHRASE = 'correct horse battery staple';
export const recipient: ExportRecipient = valueOf(parseExportRecipient({ passphrase: PASSPHRASE }));
const TENANT = { kind: 'microsoft-365', tenantId: '44444444-4444-4444-8444-444444444444' } as const;

export class Exports {
  readonly rig: Rig;
  readonly sealer = new FakeExportSealer();

  constructor(rig: Rig) {
    this.rig = rig;
  }

  static async afterSwitch(dataKeys = 4): Promise<Exports> {
    const rig = await Rig.withDataKeys(dataKeys);
    valueOf(await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN));
    await rig.drain();
    rig.vaults.calls.length = 0;
    return new Exports(rig);
  }

  deps(tables: Tables = this.rig.store): Exporting {
    return { ...this.rig.freshHost(tables), exportSealer: this.sealer };
  }

  export(
    options: { readonly tables?: Tables; readonly to?: ExportRecipient } = {},
  ): Promise<Result<SealedExport, Refusal>> {
    return exportCompanyKey(this.deps(options.tables), { ...PLACE, recipient: options.to ?? recipient }, ADMIN);
  }

  async state(): Promise<{ round: number; allowanceUntil?: string }> {
    return valueOf(await loadExportState(this.rig.deps, PLACE)).value;
  }

  events(): { readonly action: unknown; readonly target: unknown; readonly detail: unknown; readonly by: unknown }[] {
    return [...this.rig.store.dump()].flatMap(({ table, rowKey, cells }) =>
      table === 'events' && /^\d/.test(rowKey) && cells['action'] === 'company-key.export'
        ? [
            {
              action: cells['action'],
              target: cells['target'],
              by: cells['by'],
              detail: JSON.parse(String(cells['detail'])) as unknown,
            },
          ]
        : [],
    );
  }

  /** What is told of each export that was refused because nobody has approved it. */
  refusals(): unknown[] {
    return [...this.rig.store.dump()].flatMap(({ table, rowKey, cells }) =>
      table === 'events' && /^\d/.test(rowKey) && cells['action'] === 'company-key.export-refused'
        ? [JSON.parse(String(cells['detail'])) as unknown]
        : [],
    );
  }

  async register(): Promise<void> {
    valueOf(await putTenant(this.rig.deps, { companyId: COMPANY, ...TENANT, condition: {} }, ADMIN));
  }

  /** Its tenant's administrator agrees: unless told otherwise, to an export by passphrase. */
  async verify(
    round: number,
    { host = CONTOSO_HOST, to = recipient }: { readonly host?: string; readonly to?: ExportRecipient } = {},
  ): Promise<void> {
    const destination = destinationDigest({
      ref: CONTOSO,
      host,
      keyName: 'customer-key',
      tenantId: '22222222-2222-4222-8222-222222222222',
    });
    const approval = { for: 'export', keyringId: KEYRING, round, recipient: approvedRecipient(to) } as const;
    const admin = { id: `${TENANT.tenantId}/admin-1`, name: 'Ada' };
    const deps = { ...this.rig.deps, sealer: this.rig.vaults };
    valueOf(await recordVerification(deps, { companyId: COMPANY, approval, ...TENANT, destination, admin }, ADMIN));
  }
}

/** The refusal's code, and the resource for those that have none. */
export const codeOf = (result: Result<unknown, Refusal>): string => {
  const refusal = errorOf(result);
  if (refusal.type === 'state') return refusal.code;
  return refusal.type === 'failure' ? refusal.failure.code : refusal.type;
};
