// Checks record by record that a chain leads on from the head that was signed last. Without this check, a writer of the tables could have us sign the
// head of a forged chain.
import {
  hashOfRecord,
  CHAIN_START,
  sealedBytesOfHead,
  type AuditRecord,
  type ChainHead,
  type StoredHead,
} from '../../domain/audit.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { find, walk, type Listed } from '../../store/found.ts';
import { recordRow, recordsOf, signedHeadRow, signedHeadsOf } from '../../store/rows/audit-rows.ts';
import { sealVerifies } from '../../domain/seal.ts';
import type { Tables } from '../../store/tables.ts';
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
/** How many records one signature covers, so that one look takes seconds however long the last one was ago: the next look goes on. */
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
  const keyOf = (sequence: number): string => recordRow.key({ companyId, sequence });
  const range = {
    ...(signedSequence === 0 ? {} : { after: keyOf(signedSequence) }),
    before: keyOf(head.sequence + 1),
  };
  for await (const records of walk(deps.tables, recordsOf, { companyId }, { ...range, limit: PAGE_ROWS })) {
    for (const record of records) {
      const next = follows(record, last);
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
  const row = await find(tables, signedHeadRow, { companyId, sequence });
  if (!row) return ok('signature-missing');
  const signed = row.value;
  if (signed?.sequence !== sequence) return ok('signature-forged');
  const publicKey = await sealer.publicKey(signed.seal.keyVersion);
  if (!publicKey.ok) return err(publicKey.error);
  const bytes = sealedBytesOfHead(companyId, signed);
  const isOurs = publicKey.value && sealVerifies({ bytes, seal: signed.seal, publicKey: publicKey.value });
  return ok(isOurs ? { sequence, hash: signed.hash } : 'signature-forged');
}

async function firstSignedBehind(tables: Tables, companyId: string, sequence: number): Promise<number | undefined> {
  const after = signedHeadRow.key({ companyId, sequence });
  for await (const [first] of walk(tables, signedHeadsOf, { companyId }, { after, limit: 1 }))
    if (first) return first.place.sequence;
  return undefined;
}

function follows(
  { place: { sequence }, value: record }: Listed<Pick<ChainHead, 'sequence'>, AuditRecord | undefined>,
  last: ChainHead,
): ChainHead | Break {
  if (sequence !== last.sequence + 1) return 'gap';
  if (record?.sequence !== sequence || record.previous !== last.hash) return 'changed';
  return hashOfRecord(record) === record.hash ? { sequence, hash: record.hash } : 'changed';
}
