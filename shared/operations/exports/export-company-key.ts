// Exporting the company key of a keyring, so that its company can open its data keys without Keyswitch and without Azure. What permits it,
// the allowance of a completed switch or the verification of every tenant, is used up in one transaction before anybody is answered.
import { approvalKey, exportRoundKey, type Approval } from '../../domain/approval.ts';
import type { Act, Actor, Detail } from '../../domain/audit.ts';
import { encodeExport, EXPORT_FORMAT } from '../../domain/company-key-export.ts';
import type { CompanyKeyRow } from '../../domain/company-key.ts';
import { approvedRecipient, type ExportRecipient } from '../../domain/export-recipient.ts';
import type { Company, Keyring, KeyringPlace } from '../../domain/keyring.ts';
import { sameProvider } from '../../domain/provider.ts';
import { notFound, refusedBy, type Refusal, type StateCode } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { isAllowed, type ExportState } from '../../domain/export-state.ts';
import { companyKeyRowKey, keyringRowKey, rowKeysUnder, verificationsPrefix } from '../../store/rows/row-keys.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, type ActRecord } from '../../store/audited.ts';
import { loadReadableCompanyKey, openWrap, wrapInForce, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { recordEvent } from '../../store/record-event.ts';
import { listAll, loadCompany, loadKeyring, type Loaded } from '../../store/control-state.ts';
import { loadExportState, writeExportState, type LoadedExportState } from './export-state.ts';
import type { ExportSealer, Sealer } from '../../domain/ports.ts';
import { settleRaces, undecided, type Undecided } from '../../store/races.ts';
import { forged } from '../keys/seals.ts';
import { guard, guardCompany } from '../../store/control-writes.ts';
import { destinationOf } from '../tenants/destination.ts';
import { listTenants, unverifiedAmong, type VerificationReading } from '../tenants/verifications.ts';

export interface Exporting extends CompanyKeyOpening, VerificationReading, Auditing {
  readonly tables: Auditing['tables'];
  readonly exportSealer: ExportSealer;
  readonly sealer: Sealer;
}

export interface SealedExport {
  readonly format: typeof EXPORT_FORMAT;
  readonly keyringId: string;
  /** The company-key versions that are inside. */
  readonly versions: readonly number[];
  readonly jwe: string;
}

interface Order extends KeyringPlace {
  readonly recipient: ExportRecipient;
}

/**
 * If the caller never gets the answer, the export counts all the same: somebody else may have got it. One that nobody has approved is recorded
 * too: somebody reached for a copy of the key.
 */
export async function exportCompanyKey(
  deps: Exporting,
  order: Order,
  actor: Actor,
): Promise<Result<SealedExport, Refusal>> {
  const done = await audited(deps, actor, actOf(order), (record) => {
    const attempts = new Attempts(deps, order, record);
    return settleRaces(deps, () => attempts.next());
  });
  const { companyId, keyringId } = order;
  if (done.ok) deps.log.write({ level: 'warning', event: 'company-key.exported', detail: { companyId, keyringId } });
  else if (done.error.type === 'state' && UNAPPROVED.has(done.error.code)) {
    const { detail, ...act } = actOf(order);
    const refused = { ...act, action: 'company-key.export-refused', detail: { ...detail, code: done.error.code } };
    await recordEvent(deps, actor, { ...refused, outcome: 'refused' });
  }
  return done;
}

const UNAPPROVED: ReadonlySet<StateCode> = new Set<StateCode>(['tenants-unverified', 'recipient-not-approved']);

/** To which kind of recipient, and to which public key: never a key that opens anything. */
function actOf({ companyId, keyringId, recipient }: Order): Act {
  const { algorithm } = recipient;
  const detail = recipient.type === 'passphrase' ? { algorithm } : { algorithm, thumbprint: recipient.thumbprint };
  const target = keyringRowKey(keyringId);
  return { action: 'company-key.export', companyId, target, detail: { recipient: recipient.type, ...detail } };
}

/** Read before anything is decided, and written under. */
interface Found {
  readonly company: Loaded<Company>;
  readonly keyring: Loaded<Keyring>;
  readonly state: LoadedExportState;
}

/** What permits an export, and the state once it is used up. */
interface Grounds {
  readonly by: 'allowance' | 'verification';
  readonly next: ExportState;
}

class Attempts {
  readonly #deps: Exporting;
  readonly #order: Order;
  readonly #record: ActRecord;
  /** Sealed once for each state of the company key: whoever loses a race need not ask the vault again. */
  #sealed: { readonly etag: string; readonly answer: SealedExport } | undefined;

  constructor(deps: Exporting, order: Order, record: ActRecord) {
    this.#deps = deps;
    this.#order = order;
    this.#record = record;
  }

  async next(): Promise<Result<SealedExport, Refusal> | Undecided> {
    const decided = await this.#decide();
    if (typeof decided !== 'string' && decided.ok) return decided;
    // An attempt whose answer was lost may have been written, and is then what everything above speaks against.
    if (this.#sealed && (await this.#record.landed())) return ok(this.#sealed.answer);
    return decided;
  }

  async #decide(): Promise<Result<SealedExport, Refusal> | Undecided> {
    const found = await this.#find();
    if (!found.ok) return found;
    // A lost attempt that was written late is answered as it was written: nothing is sealed anew, and nothing more used up. One that is
    // not written by now never will be, unless all that it was written under still stands.
    if (await this.#record.landed()) return 'lost-race';
    const grounds = await this.#groundsOf(found.value);
    if (!grounds.ok) return grounds;
    // Before the transaction: a vault that refuses uses nothing up.
    const sealed = await this.#seal(found.value.keyring.value);
    if (typeof sealed === 'string' || !sealed.ok) return sealed;
    const { companyId, keyringId } = this.#order;
    const { company, keyring, state } = found.value;
    const { by, next } = grounds.value;
    const used = await writeExportState(this.#deps, this.#order, { from: state, to: next });
    if (!used.ok) return err(refusedBy(used.error));
    const detail: Detail = { by, companyKeyVersion: keyring.value.activeVersion, round: state.value.round };
    // The keyring's row is merged unchanged, so that no switch begins in between.
    const written = await this.#record.write(
      'companies',
      companyId,
      [used.value, guard(keyringRowKey(keyringId), keyring.etag), guardCompany(company)],
      detail,
    );
    return written.outcome === 'committed' ? sealed : undecided(written);
  }

  async #find(): Promise<Result<Found, Refusal>> {
    const { companyId, keyringId } = this.#order;
    const { tables } = this.#deps;
    const [company, keyring, state] = await Promise.all([
      loadCompany(tables, companyId),
      loadKeyring(tables, this.#order),
      loadExportState(this.#deps, this.#order),
    ]);
    if (!company) return err(notFound('company', companyId));
    if (!keyring) return err(notFound('keyring', keyringId));
    if (company.value.state !== 'active')
      return err({ type: 'state', code: 'company-closing', message: 'The company is being deleted.' });
    if (keyring.value.state !== 'ready')
      return err({ type: 'state', code: 'keyring-not-ready', message: 'The keyring is still being created.' });
    const { switchId } = keyring.value;
    if (switchId !== undefined) return err({ type: 'switch-in-progress', switchId });
    if (!state.ok) return err(refusedBy(state.error));
    return ok({ company, keyring, state: state.value });
  }

  async #groundsOf({ state: { value } }: Found): Promise<Result<Grounds, Refusal>> {
    const { round } = value;
    if (isAllowed(value, this.#deps.clock.now())) return ok({ by: 'allowance', next: { round } });
    const { companyId, keyringId, recipient } = this.#order;
    const approval: Approval = { for: 'export', keyringId, round, recipient: approvedRecipient(recipient) };
    const unverified = await this.#unverified(approval);
    if (!unverified.ok) return unverified;
    if (unverified.value === 0) return ok({ by: 'verification', next: { round: round + 1 } });
    if (await namesOtherRecipient(this.#deps, companyId, approval)) {
      const message =
        'This export was approved for another recipient. What every tenant approved names the public key, or that it goes by a passphrase.';
      return err({ type: 'state', code: 'recipient-not-approved', message });
    }
    const remedy =
      unverified.value === 'nobody'
        ? 'no tenant is registered that could be verified.'
        : `every tenant must be verified anew, and ${unverified.value} of them ${unverified.value === 1 ? 'is' : 'are'} not.`;
    const message = `There is no export left that a switch has allowed. For another one ${remedy}`;
    return err({ type: 'state', code: 'tenants-unverified', message });
  }

  /**
   * How many tenants were not verified for this very export to this very recipient. Where there is nobody to verify, nobody has said that the
   * key may leave.
   */
  async #unverified(approval: Approval): Promise<Result<number | 'nobody', Refusal>> {
    const { companyId } = this.#order;
    const tenants = await listTenants(this.#deps.tables, companyId);
    if (tenants.length === 0) return ok('nobody');
    const destination = await destinationOf(this.#deps, { companyId, approval });
    if (!destination.ok) return destination;
    const now = this.#deps.clock.now();
    const asked = { companyId, approval, destination: destination.value.digest, now };
    const unverified = await unverifiedAmong(this.#deps, tenants, asked);
    return unverified.ok ? ok(unverified.value.length) : err(refusedBy(unverified.error));
  }

  /** Through the vault in force, and through no cache: what was revoked is not exported. */
  async #seal(keyring: Keyring): Promise<Result<SealedExport, Refusal> | Undecided> {
    const { companyId, keyringId } = this.#order;
    const context = { companyId, keyringId, version: keyring.activeVersion };
    const row = await loadReadableCompanyKey(this.#deps, context);
    if (!row.ok) return err(refusedBy(row.error));
    // A switch has ended since the keyring was read.
    if (!row.value) return 'lost-race';
    const { value, etag } = row.value;
    if (this.#sealed?.etag === etag) return ok(this.#sealed.answer);
    const jwe = await this.#encrypted(keyring, value);
    if (!jwe.ok) return jwe;
    const answer: SealedExport = {
      format: EXPORT_FORMAT,
      keyringId,
      versions: [keyring.activeVersion],
      jwe: jwe.value,
    };
    this.#sealed = { etag, answer };
    return ok(answer);
  }

  async #encrypted(keyring: Keyring, row: CompanyKeyRow): Promise<Result<string, Refusal>> {
    const { companyId, keyringId, recipient } = this.#order;
    const wrap = wrapInForce(row);
    const rowKey = companyKeyRowKey(keyringId, row.version);
    // Tenants approve an export of a key that is in the vault which the keyring names.
    if (!wrap || !sameProvider(wrap.ref, keyring.provider))
      return err(refusedBy(forged(this.#deps.log, { companyId, rowKey })));
    const companyKey = await openWrap(this.#deps, row, wrap);
    if (!companyKey.ok) return err(refusedBy(companyKey.error));
    const content = encodeExport({
      companyId,
      keyringId,
      provider: keyring.provider,
      keyId: wrap.keyId,
      madeAt: this.#deps.clock.now().toISOString(),
      versions: [{ version: row.version, companyKey: companyKey.value }],
    });
    try {
      return ok(await this.#deps.exportSealer.seal(content, recipient));
    } finally {
      content.fill(0);
    }
  }
}

/** For the words of a refusal only: seals are not checked. */
async function namesOtherRecipient(
  { tables }: Pick<Exporting, 'tables'>,
  companyId: string,
  approval: Extract<Approval, { readonly for: 'export' }>,
): Promise<boolean> {
  const range = rowKeysUnder(verificationsPrefix(exportRoundKey(approval)));
  const rows = await listAll(tables, { table: 'companies', partitionKey: companyId, ...range });
  const own = verificationsPrefix(approvalKey(approval));
  return rows.some(({ rowKey }) => !rowKey.startsWith(own));
}
