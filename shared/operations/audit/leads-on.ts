// Whether a chain leads on from the head that was signed last, as far as the tables hold it: record by record, each chained to the one before. Whoever
// writes the tables could else have the next head of a chain of their own signed by us.
import { hashOfRecord, CHAIN_START, sealedBytesOfHead, type ChainHead, type StoredHead } from '../../domain/audit.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readRecord, readSigned } from '../../store/rows/audit-rows.ts';
import { recordRowKey, RECORDS_AFTER, rowKeysUnder, SIGNED_PREFIX, signedRowKey } from '../../store/rows/row-keys.ts';
import { sealVerifies } from '../../domain/seal.ts';
import { pagesOf } from '../../store/list-pages.ts';
import type { StoredRow, Tables } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';

export interface LeadingOn {
  readonly tables: Tables;
  readonly sealer: Pick<Sealer, 'publicKey'>;
}

/** What stands between the last signed head and this one. */
export type Break = 'signature-missing' | 'signature-forged' | 'signature-beyond' | 'gap' | 'changed' | 'head-forged';

/** `broken` at a sequence, or how far the chain leads on: to the head, or to the last record of so many. */
export type Led =
  | { readonly type: 'leads'; readonly to: ChainHead }
  | { readonly type: 'broken'; readonly by: Break; readonly sequence: number };

const PAGE_ROWS = 1000;
/** What one signature covers, so that one look takes seconds however long nobody has looked: the next goes on from there. */
const MAX_RECORDS_A_SIGNATURE = 20_000;

const broken = (by: Break, sequence: number): Result<Led, Failure> => ok({ type: 'broken', by, sequence });

/** Throws StoreUnavailable. */
export async function leadsOn(
  deps: LeadingOn,
  companyId: string,
  head: StoredHead,
  { maxRecords = MAX_RECORDS_A_SIGNATURE } = {},
): Promise<Result<Led, Failure>> {
  const { signedSequence } = head;
  if (signedSequence > head.sequence) return broken('signature-beyond', signedSequence);
  const from = await lastSigned(deps, companyId, signedSequence);
  if (!from.ok) return from;
  if (typeof from.value === 'string') return broken(from.value, signedSequence);
  const beyond = await firstSignedBehind(deps.tables, companyId, signedSequence);
  if (beyond !== undefined) return broken('signature-beyond', beyond);
  let last: ChainHead = from.value;
  const range = {
    after: signedSequence === 0 ? RECORDS_AFTER : recordRowKey(signedSequence),
    before: recordRowKey(head.sequence + 1),
  };
  const query = { table: 'events', partitionKey: companyId, ...range, limit: PAGE_ROWS } as const;
  for await (const { rows } of pagesOf(deps.tables, query)) {
    for (const row of rows) {
      const next = follows(row, companyId, last);
      if (typeof next === 'string') return broken(next, last.sequence + 1);
      last = next;
      if (last.sequence - signedSequence >= maxRecords && last.sequence < head.sequence)
        return ok({ type: 'leads', to: last });
    }
  }
  if (last.sequence < head.sequence) return broken('gap', last.sequence + 1);
  return last.hash === head.hash ? ok({ type: 'leads', to: last }) : broken('head-forged', head.sequence);
}

/** The head that was signed last, by its own row; the start of the chain if none was. */
async function lastSigned(
  { tables, sealer }: LeadingOn,
  companyId: string,
  sequence: number,
): Promise<Result<ChainHead | Break, Failure>> {
  if (sequence === 0) return ok(CHAIN_START);
  const row = await tables.read('events', companyId, signedRowKey(sequence));
  if (!row) return ok('signature-missing');
  const signed = readSigned(row.cells);
  if (signed?.sequence !== sequence) return ok('signature-forged');
  const publicKey = await sealer.publicKey(signed.seal.keyVersion);
  if (!publicKey.ok) return err(publicKey.error);
  const bytes = sealedBytesOfHead(companyId, signed);
  const isOurs = publicKey.value && sealVerifies({ bytes, seal: signed.seal, publicKey: publicKey.value });
  return ok(isOurs ? { sequence, hash: signed.hash } : 'signature-forged');
}

async function firstSignedBehind(tables: Tables, companyId: string, sequence: number): Promise<number | undefined> {
  const range = { after: signedRowKey(sequence), before: rowKeysUnder(SIGNED_PREFIX).before };
  for await (const { rows } of pagesOf(tables, { table: 'events', partitionKey: companyId, ...range, limit: 1 })) {
    const [first] = rows;
    if (first) return Number(first.rowKey.slice(SIGNED_PREFIX.length));
  }
  return undefined;
}

function follows({ rowKey, cells }: StoredRow, companyId: string, last: ChainHead): ChainHead | Break {
  const sequence = Number(rowKey);
  if (sequence !== last.sequence + 1) return 'gap';
  const record = readRecord(cells, companyId);
  if (record?.sequence !== sequence || record.previous !== last.hash) return 'changed';
  return hashOfRecord(record) === record.hash ? { sequence, hash: record.hash } : 'changed';
}
