// Signs the heads of chains that have moved with the vendor's seal key, if they lead on from the last signed head, and writes each to the log. A log kept
// elsewhere then proves what a chain was, even against a writer of every table.
import { change } from '../../store/act.ts';
import { headRow, signedHeadRow, type SignedHead } from '../../store/rows/audit-rows.ts';
import { sealedBytesOfHead } from '../../domain/audit.ts';
import { failure } from '../../domain/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { walkAgenda } from '../../store/agenda-walk.ts';
import { renewOnAgenda, takeOffAgenda, type AgendaItem } from '../../store/agenda.ts';
import type { Sealer } from '../../domain/ports.ts';
import type { Tx } from '../../store/tx.ts';
import { loadHead, type Auditing } from '../../store/append.ts';
import { leadsOn } from './leads-on.ts';

export interface HeadSigning extends Auditing {
  readonly sealer: Pick<Sealer, 'sign' | 'publicKey'>;
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
  const signed = await change(deps, (tx) => trySign(deps, tx, companyId));
  if (!signed.ok) {
    const detail = { companyId, reason: signed.error.type };
    deps.log.write({ level: 'warning', event: 'audit.head-not-signed', detail });
    return false;
  }
  // A signed chain is not among those that have moved: webhooks that were not told of all yet find it among those left behind.
  await renewOnAgenda(deps.tables, { kind: 'notify', companyId, id: 'chain' });
  // An append after this look renews the item, and then it stays.
  await takeOffAgenda(deps.tables, item, async () => isSigned((await loadHead(deps.tables, companyId)).value));
  return signed.value;
}

const isSigned = (head: { readonly sequence: number; readonly signedSequence: number }): boolean =>
  head.sequence === head.signedSequence;

async function trySign(deps: HeadSigning, tx: Tx, companyId: string): Promise<Result<boolean, Refusal> | 'lost-race'> {
  const found = await tx.find(headRow, { companyId });
  if (!found || isSigned(found.value)) return ok(false);
  const { value, etag } = found;
  const led = await leadsOn(deps, companyId, value);
  if (!led.ok) return err(refusedBy(led.error));
  if (led.value.type === 'broken') {
    // Another host may have signed since the head was read.
    if ((await loadHead(deps.tables, companyId)).etag !== etag) return 'lost-race';
    return err(refusedBy(notLed(deps, companyId, led.value)));
  }
  const { sequence, hash } = led.value.to;
  const at = deps.clock.now().toISOString();
  const seal = await deps.sealer.sign(sealedBytesOfHead(companyId, { sequence, hash, at }));
  if (!seal.ok) return err(refusedBy(seal.error));
  const head: SignedHead = { sequence, hash, at, seal: seal.value };
  logHead(deps, companyId, head);
  tx.replace(found, { ...value, signedSequence: sequence });
  tx.insert(signedHeadRow, { companyId, sequence }, head);
  return ok(true);
}

/** The chain does not lead on from the last signed head: it was tampered with in between, and we must not sign over that. */
function notLed(
  { log }: HeadSigning,
  companyId: string,
  { by, sequence }: { readonly by: string; readonly sequence: number },
): Failure {
  log.write({ level: 'error', event: 'security.head-not-led', detail: { companyId, code: by, sequence } });
  return failure('row-forged', { detail: headRow.key({ companyId }) });
}

/** Logged before it is written, so that the log has every head that the tables have. */
function logHead({ log }: HeadSigning, companyId: string, { sequence, hash, at, seal }: SignedHead): void {
  const { keyVersion, signature } = seal;
  const detail = { companyId, sequence, hash, at, keyVersion, signature };
  log.write({ level: 'info', event: 'events.head-signed', detail });
}
