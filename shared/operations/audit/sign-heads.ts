// Signing the heads of chains that have moved, by the vendor's seal key, and writing each to the log. Whoever keeps the log elsewhere can
// show by it what a chain was, even against somebody who may write every table.
import type { SignedHead } from '../../domain/rows/audit-rows.ts';
import { headCells, signedCells } from '../../domain/rows/audit-rows.ts';
import { sealedBytesOfHead } from '../../domain/audit.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { HEAD_ROW_KEY, signedRowKey } from '../../domain/rows/row-keys.ts';
import { walkAgenda } from '../agenda-walk.ts';
import { takeOffAgenda, type AgendaItem } from '../agenda.ts';
import type { Sealer } from '../ports.ts';
import { settleRaces, undecided, type Undecided } from '../races.ts';
import { loadHead, type Auditing } from './append.ts';

export interface HeadSigning extends Auditing {
  readonly sealer: Pick<Sealer, 'sign'>;
}

/** One signature of the vendor's vault each. */
const LANES = 4;

/** The timer's turn. Answers how many heads it signed. */
export async function sweepHeads(deps: HeadSigning): Promise<number> {
  const { sum } = await walkAgenda(deps, { kind: 'head', lanes: LANES }, async (item) =>
    (await signOne(deps, item)) ? 1 : 0,
  );
  return sum;
}

async function signOne(deps: HeadSigning, item: AgendaItem): Promise<boolean> {
  const { companyId } = item;
  const signed = await settleRaces(deps, () => trySign(deps, companyId));
  if (!signed.ok) {
    const detail = { companyId, reason: signed.error.type };
    deps.log.write({ level: 'warning', event: 'audit.head-not-signed', detail });
    return false;
  }
  // Whoever appends after this look renews the item, and then it stays.
  await takeOffAgenda(deps.tables, item, async () => isSigned((await loadHead(deps.tables, companyId)).value));
  return signed.value;
}

const isSigned = (head: { readonly sequence: number; readonly signedSequence: number }): boolean =>
  head.sequence === head.signedSequence;

async function trySign(deps: HeadSigning, companyId: string): Promise<Result<boolean, Refusal> | Undecided> {
  const { value, etag } = await loadHead(deps.tables, companyId);
  if (etag === undefined || isSigned(value)) return ok(false);
  const { sequence, hash } = value;
  const at = deps.clock.now().toISOString();
  const seal = await deps.sealer.sign(sealedBytesOfHead(companyId, { sequence, hash, at }));
  if (!seal.ok) return err(refusedBy(seal.error));
  const head: SignedHead = { sequence, hash, at, seal: seal.value };
  logHead(deps, companyId, head);
  const written = await deps.tables.write('events', companyId, [
    {
      kind: 'replace',
      rowKey: HEAD_ROW_KEY,
      cells: headCells({ sequence, hash, signedSequence: sequence }),
      etag,
    },
    { kind: 'insert', rowKey: signedRowKey(sequence), cells: signedCells(head) },
  ]);
  return written.outcome === 'committed' ? ok(true) : undecided(written);
}

/** Before it is written: the log then knows of every head that the tables know of. */
function logHead({ log }: HeadSigning, companyId: string, { sequence, hash, at, seal }: SignedHead): void {
  const { keyVersion, signature } = seal;
  const detail = { companyId, sequence, hash, at, keyVersion, signature };
  log.write({ level: 'info', event: 'events.head-signed', detail });
}
