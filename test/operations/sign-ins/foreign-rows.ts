// Genuine words for another company, sealed by the same key, as rows of the company under attack: in the places where they would be of use.
import { approvalKey, destinationDigest, type Approval } from '../../../shared/domain/approval.ts';
import { targetOfConnection } from '../../../shared/domain/connection.ts';
import { connectionRowKey, verificationRowKey } from '../../../shared/store/rows/row-keys.ts';
import { readConnection } from '../../../shared/store/rows/sealed-rows.ts';
import { verificationCells } from '../../../shared/store/rows/tenant-rows.ts';
import { sealedBytesOfVerification } from '../../../shared/domain/seal.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import type { StoredRow } from '../../../shared/store/tables.ts';
import { consentedRows } from '../../fixtures/consented-connection.ts';
import { COMPANY, type Rig } from '../switches/rig.ts';
import { speakerOf } from '../tenants/tenant-rig.ts';

const OTHER_COMPANY = 'globex';

/** The same administrators have approved the same there, and consented to the connection `fabrikam`. */
export async function foreignRows(
  rig: Rig,
  said: { readonly tenants: readonly TenantRef[]; readonly approvals: readonly Approval[] },
): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  for (const tenant of said.tenants)
    for (const approval of said.approvals) rows.push(await approved(rig, tenant, approval));
  const { consent: _none, seal: _seal, ...fabrikam } = connectionOf(rig, 'fabrikam');
  const theirs = await consentedRows(rig.vaults, { companyId: OTHER_COMPANY, ...fabrikam });
  return [...rows, ...theirs.filter(({ table }) => table === 'companies').map((row) => ({ ...row, etag: '' }))];
}

async function approved(rig: Rig, tenant: TenantRef, approval: Approval): Promise<StoredRow> {
  const target = targetOfConnection(connectionOf(rig, 'contoso'));
  if (!target) throw new Error('the connection names no tenant');
  const word = {
    ...tenant,
    ...speakerOf(tenant),
    approval: approvalKey(approval),
    destination: destinationDigest(target),
    verifiedAt: rig.clock.now().toISOString(),
    adminId: `${tenant.tenantId}/admin`,
    adminName: 'Ann',
  };
  const seal = await rig.vaults.sign(sealedBytesOfVerification(OTHER_COMPANY, word));
  if (!seal.ok) throw new Error('no seal');
  const cells = verificationCells({ ...word, seal: seal.value });
  return { rowKey: verificationRowKey(word.approval, tenant), etag: '', cells };
}

function connectionOf(
  { store }: Pick<Rig, 'store'>,
  connectionId: string,
): NonNullable<ReturnType<typeof readConnection>> {
  const row = store.peek('companies', COMPANY, connectionRowKey(connectionId));
  const connection = row && readConnection(row.cells, { companyId: COMPANY, connectionId });
  if (!connection) throw new Error(`no connection ${connectionId}`);
  return connection;
}
