// What is sealed in a row, whatever kind of row it is, and the cells that carry other seals over the same. Pure. For sealing rows anew: nothing
// is judged here but by whom and over what a seal is.
import type { Seal } from '../../domain/company-key.ts';
import {
  sealedBytesOfConnection,
  sealedBytesOfConsent,
  sealedBytesOfExports,
  sealedBytesOfMove,
  sealedBytesOfPin,
  sealedBytesOfSwitch,
  sealedBytesOfVerification,
  sealedBytesOfWrap,
} from '../../domain/seal.ts';
import { isEnded } from '../../domain/switch.ts';
import { isTenantRef } from '../../domain/tenant.ts';
import type { Cells } from './cells.ts';
import { readSwitch } from './switch-rows.ts';
import { readExportState } from './export-rows.ts';
import { connectionCells, readCompanyKey, readConnection } from './sealed-rows.ts';
import { readTenant, readVerification } from './tenant-rows.ts';

export interface SealedPart {
  readonly bytes: Buffer;
  readonly seal: Seal;
}

export interface SealedRow {
  readonly parts: readonly SealedPart[];
  /** The cells to merge once each part has the seal of its place. */
  readonly cellsWith: (seals: readonly Seal[]) => Cells;
}

interface StoredCells {
  readonly rowKey: string;
  readonly cells: Cells;
}

/**
 * Undefined for a row that carries no seal that anybody still looks at: of other kinds, of a switch that has ended, or that cannot be read. Links and
 * signed-in persons are left out: they are over within a day. Throws MalformedRow.
 */
export function sealedRow(companyId: string, { rowKey, cells }: StoredCells): SealedRow | undefined {
  const [kind = '', ...ids] = rowKey.split('|');
  const [first = '', second = ''] = ids;
  switch (kind) {
    case 'companykey':
      return companyKey({ companyId, keyringId: first, version: Number(second) }, cells);
    case 'connection':
      return connection(companyId, first, cells);
    case 'switch':
      return switchOrder(companyId, { keyringId: first, switchId: second }, cells);
    case 'export': {
      const state = readExportState(cells, first);
      return single(sealedBytesOfExports({ companyId, keyringId: first }, state), state.seal);
    }
    case 'tenant':
      return pinOfTenant(companyId, rowKey, cells);
    case 'verification':
      return verification(companyId, ids, cells);
    default:
      return undefined;
  }
}

const single = (bytes: Buffer, seal: Seal): SealedRow => ({
  parts: [{ bytes, seal }],
  cellsWith: ([next = seal]) => ({ seal: JSON.stringify(next) }),
});

function companyKey(
  place: { readonly companyId: string; readonly keyringId: string; readonly version: number },
  cells: Cells,
): SealedRow | undefined {
  const row = readCompanyKey(cells, place);
  if (!row) return undefined;
  return {
    parts: row.wraps.map((wrap) => ({ bytes: sealedBytesOfWrap(place, wrap), seal: wrap.seal })),
    cellsWith: (seals) => ({
      wraps: JSON.stringify(row.wraps.map((wrap, index) => ({ ...wrap, seal: seals[index] ?? wrap.seal }))),
    }),
  };
}

function connection(companyId: string, connectionId: string, cells: Cells): SealedRow | undefined {
  const held = readConnection(cells, connectionId);
  if (!held) return undefined;
  const { consent, move } = held;
  const parts: readonly (SealedPart & { readonly of: 'seal' | 'consent' | 'move' })[] = [
    { of: 'seal', bytes: sealedBytesOfConnection(companyId, held), seal: held.seal },
    ...(consent
      ? [{ of: 'consent' as const, bytes: sealedBytesOfConsent(companyId, held, consent), seal: consent.seal }]
      : []),
    ...(move ? [{ of: 'move' as const, bytes: sealedBytesOfMove(companyId, held, move), seal: move.seal }] : []),
  ];
  return {
    parts,
    cellsWith: (seals) => {
      const sealed = (of: 'seal' | 'consent' | 'move', before: Seal): Seal =>
        seals[parts.findIndex((part) => part.of === of)] ?? before;
      const next = connectionCells({
        ...held,
        seal: sealed('seal', held.seal),
        ...(consent ? { consent: { ...consent, seal: sealed('consent', consent.seal) } } : {}),
        ...(move ? { move: { ...move, seal: sealed('move', move.seal) } } : {}),
      });
      return { seal: next['seal'], consent: next['consent'], move: next['move'] };
    },
  };
}

function switchOrder(
  companyId: string,
  place: { readonly keyringId: string; readonly switchId: string },
  cells: Cells,
): SealedRow | undefined {
  const sw = readSwitch(cells);
  return isEnded(sw.state) ? undefined : single(sealedBytesOfSwitch(companyId, { ...sw, ...place }), sw.seal);
}

function pinOfTenant(companyId: string, rowKey: string, cells: Cells): SealedRow | undefined {
  const tenant = readTenant(cells, rowKey);
  const { pin } = tenant;
  return (
    pin && {
      parts: [{ bytes: sealedBytesOfPin(companyId, tenant, pin), seal: pin.seal }],
      cellsWith: ([seal = pin.seal]) => ({ pin: JSON.stringify({ ...pin, seal }) }),
    }
  );
}

/** `ids`: the approval, then kind and id of the tenant. */
function verification(companyId: string, ids: readonly string[], cells: Cells): SealedRow | undefined {
  const tenant = { kind: ids.at(-2), tenantId: ids.at(-1) };
  if (!isTenantRef(tenant)) return undefined;
  const read = readVerification(cells, { ...tenant, approval: ids.slice(0, -2).join('|') });
  return read && single(sealedBytesOfVerification(companyId, read), read.seal);
}
