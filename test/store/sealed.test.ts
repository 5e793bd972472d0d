// Every kind of row that carries a seal is sealed anew. That a kind that holds one says how, the compiler asks for.
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Seal } from '../../shared/domain/company-key.ts';
import { isRecord } from '../../shared/domain/plain-object.ts';
import type { Row } from '../../shared/store/rows/row.ts';
import { SEALED_KINDS } from '../../shared/store/sealed.ts';

const ROWS = new URL('../../shared/store/rows/', import.meta.url);

async function sealedRowsOfCompanies(): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const file of readdirSync(ROWS)) {
    const exported = (await import(new URL(file, ROWS).href)) as Record<string, unknown>;
    for (const [name, row] of Object.entries(exported)) {
      if (isRecord(row) && typeof row['sealed'] === 'function' && row['table'] === 'companies') found[name] = row;
    }
  }
  return found;
}

it('the kinds that are gone over are all those that hold a seal, each told by its own beginning of keys', async () => {
  const rows = await sealedRowsOfCompanies();
  const kinds = SEALED_KINDS.map(({ row }) => Object.entries(rows).find(([, one]) => one === row)?.[0]);
  expect(kinds.toSorted()).toEqual(Object.keys(rows).toSorted());
  expect(kinds).toHaveLength(8);
  expect(new Set(SEALED_KINDS.map(({ prefix }) => prefix)).size).toBe(8);
});

const unsealed = {
  table: 'companies',
  partition: () => '',
  key: () => '',
  cells: () => ({}),
  read: (): never => {
    throw new Error('not read');
  },
} as const;

it('a kind that holds a seal, in whatever depth rows have, does not compile without saying how it is sealed anew', () => {
  // @ts-expect-error its own seal
  const own: Row<object, { readonly seal: Seal }> = unsealed;
  // @ts-expect-error the seal of a part that may be absent
  const ofPart: Row<object, { readonly pin?: { readonly seal: Seal } }> = unsealed;
  // @ts-expect-error seals of parts
  const ofParts: Row<object, { readonly wraps: readonly { readonly seal: Seal }[] }> = unsealed;
  const none: Row<object, { readonly name: string }> = unsealed;
  expect([own, ofPart, ofParts, none].every(({ sealed }) => sealed === undefined)).toBe(true);
});
