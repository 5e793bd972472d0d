// Rows that hold small secrets under the vendor's own key, of both kinds that there are: what is in them, and how it is replaced. Judges no seal.
import type { Seal } from '../domain/company-key.ts';
import { find } from './found.ts';
import type { HeldSecrets, Row, SealedPart } from './rows/row.ts';
import { connectionRow } from './rows/sealed-rows.ts';
import { webhookRow } from './rows/webhook-rows.ts';
import type { SealedSecret } from '../domain/sealed-secret.ts';
import type { Tables } from './tables.ts';
import type { Writes } from './tx.ts';

export interface RowWithSecrets {
  /** Of the row as it is. */
  readonly parts: readonly SealedPart[];
  readonly secrets: HeldSecrets<unknown>['secrets'];
  /** The row with other secrets in their places: what is to be sealed, and how it is written. */
  with(secrets: readonly SealedSecret[]): {
    readonly parts: readonly SealedPart[];
    write(tx: Writes, seals: readonly Seal[]): void;
  };
}

/** Undefined if there is no such row, `unreadable` if it counts as forged. */
export function findSecrets(
  tables: Pick<Tables, 'read'>,
  { companyId, rowKey }: { readonly companyId: string; readonly rowKey: string },
): Promise<RowWithSecrets | 'unreadable' | undefined> {
  const [kind, id = ''] = rowKey.split('|');
  return kind === 'webhook'
    ? secretsIn(tables, webhookRow, { companyId, webhookId: id })
    : secretsIn(tables, connectionRow, { companyId, connectionId: id });
}

async function secretsIn<P, V extends R, R>(
  tables: Pick<Tables, 'read'>,
  row: Row<P, V, R>,
  place: P,
): Promise<RowWithSecrets | 'unreadable' | undefined> {
  const found = await find(tables, row, place);
  if (!found) return undefined;
  const partsOf = (value: R) => (typeof row.sealed === 'function' ? row.sealed(value, place) : undefined);
  const parts = partsOf(found.value)?.parts;
  const held = row.secrets?.(found.value, place);
  if (!parts || !held) return 'unreadable';
  return {
    parts,
    secrets: held.secrets,
    with: (secrets) => {
      const next = held.with(secrets);
      const sealed = partsOf(next);
      return {
        parts: sealed?.parts ?? [],
        write: (tx, seals) => void tx.replace<unknown>(found, sealed?.with(seals) ?? next),
      };
    },
  };
}
