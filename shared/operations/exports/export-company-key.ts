// Exports a keyring's company key, so that its company can open its data keys without Keyswitch and without any vault. One transaction uses up the
// permission before the caller is answered.
import type { Act, Actor } from '../../domain/audit.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import type { Sealer } from '../../domain/ports.ts';
import { COMPANY_CLOSING, notFound, refusedBy, type Refusal, type StateCode } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import type { Found } from '../../store/found.ts';
import { recordEvent } from '../../store/record-event.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import type { Tx } from '../../store/tx.ts';
import { loadExportState, putExportState, type LoadedExportState } from './export-state.ts';
import { groundsOf, type GroundsReading } from './grounds.ts';
import { SealedOnce, type ExportOrder, type ExportSealing, type SealedExport } from './sealed-export.ts';

export interface Exporting extends ExportSealing, GroundsReading, Auditing {
  readonly tables: Auditing['tables'];
  readonly providers: ExportSealing['providers'];
  readonly sealer: Sealer;
}

/**
 * If the caller never gets the answer, the export counts all the same: others may have got it. An export that was not approved is recorded too: a
 * caller reached for a copy of the key.
 */
export async function exportCompanyKey(
  deps: Exporting,
  order: ExportOrder,
  actor: Actor,
): Promise<Result<SealedExport, Refusal>> {
  const sealed = new SealedOnce(deps, order);
  const about = actOf(order);
  const done = await act<SealedExport>(deps, { actor, ...about }, async (tx) => {
    const found = await findAll(deps, tx, order);
    if (!found.ok) return found;
    const { company, keyring, state } = found.value;
    const grounds = await groundsOf(deps, order, state.value);
    if (!grounds.ok) return grounds;
    // Before the transaction: a vault that refuses uses nothing up.
    const answer = await sealed.of(keyring.value);
    if (answer === 'lost-race' || !answer.ok) return answer;
    const { by, next } = grounds.value;
    const used = await putExportState(deps, order, { from: state, to: next });
    if (!used.ok) return err(refusedBy(used.error));
    used.value(tx);
    // Unchanged, so that no switch begins in between.
    tx.guard(keyring);
    tx.guard(company);
    tx.detail({ by, companyKeyVersion: keyring.value.activeVersion, round: state.value.round });
    return answer;
  });
  const { companyId, keyringId } = order;
  if (done.ok) deps.log.write({ level: 'warning', event: 'company-key.exported', detail: { companyId, keyringId } });
  else if (done.error.type === 'state' && UNAPPROVED.has(done.error.code)) {
    const detail = { ...about.detail, code: done.error.code };
    await recordEvent(deps, actor, { ...about, action: 'company-key.export-refused', detail, outcome: 'refused' });
  }
  return done;
}

const UNAPPROVED: ReadonlySet<StateCode> = new Set<StateCode>(['tenants-unverified', 'recipient-not-approved']);

/** To which kind of recipient, and to which public key: never a key that opens anything. */
function actOf({ recipient, ...place }: ExportOrder): Act {
  const { algorithm } = recipient;
  const detail = recipient.type === 'passphrase' ? { algorithm } : { algorithm, thumbprint: recipient.thumbprint };
  return {
    action: 'company-key.export',
    companyId: place.companyId,
    target: keyringRow.key(place),
    detail: { recipient: recipient.type, ...detail },
  };
}

/** Read before anything is decided, and written under. */
interface FoundAll {
  readonly company: Found<Company>;
  readonly keyring: Found<Keyring>;
  readonly state: LoadedExportState;
}

async function findAll(deps: Exporting, tx: Tx, place: ExportOrder): Promise<Result<FoundAll, Refusal>> {
  const [company, keyring, state] = await Promise.all([
    tx.find(companyRow, place),
    tx.find(keyringRow, place),
    loadExportState(deps, place),
  ]);
  if (!company) return err(notFound('company', place.companyId));
  if (!keyring) return err(notFound('keyring', place.keyringId));
  if (company.value.state !== 'active') return err(COMPANY_CLOSING);
  if (keyring.value.state !== 'ready')
    return err({ type: 'state', code: 'keyring-not-ready', message: 'The keyring is still being created.' });
  const { switchId } = keyring.value;
  if (switchId !== undefined) return err({ type: 'switch-in-progress', switchId });
  if (!state.ok) return err(refusedBy(state.error));
  return ok({ company, keyring, state: state.value });
}
