// Follows a new version of the vendor's own key for every keyring and every small secret that it wraps, in slices over the agenda. Nothing is walked while there is no newer
// version: one `get` a turn. Two rounds: at once; and one that begins when no process can still be about to write what it wrapped under an older version.
import { KEYSWITCH } from '../../domain/audit.ts';
import { judgeNewest } from '../../domain/key-versions.ts';
import { SETTLED_AFTER_MS } from '../../store/rows/resealing-rows.ts';
import { walkAgenda } from '../../store/agenda-walk.ts';
import { noteOnAgenda, rowWithSecrets, takeOffListed, type ListedAgendaItem } from '../../store/agenda.ts';
import { changeOnce } from '../../store/act.ts';
import { find, type Found } from '../../store/found.ts';
import { findSecrets } from '../../store/held-secrets.ts';
import { text } from '../../store/rows/cells.ts';
import { vendorKeyRow, type VendorKeyState } from '../../store/rows/vendor-key-rows.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import { sameProvider } from '../../domain/provider.ts';
import type { ReadKey } from '../../providers/provider.ts';
import { companyKeysOfKeyring } from '../keys/company-key-rows.ts';
import { wrapOf } from '../keys/open-wrap.ts';
import { followKeyVersion, type Following } from './follow-key-version.ts';
import { followSecrets } from './follow-secrets.ts';

/** Two calls of the vendor's vault each. */
const LANES = 4;

/** The timer's turn. Answers for how many keyrings it made wraps. */
export async function followVendorKey(deps: Following): Promise<number> {
  const { vendor } = deps.providers;
  const provider = deps.providers.of(vendor.ref);
  const newest = await provider.read(vendor, { purpose: 'in-force' });
  if (!newest.ok) {
    deps.log.write({ level: 'warning', event: 'vendor-key.not-read', detail: { code: newest.error.code } });
    return 0;
  }
  const held = await find(deps.tables, vendorKeyRow, {});
  const state = roundOf(held?.value, newest.value, deps.clock.now());
  warnAnew(deps, held?.value, state);
  if (newest.value.unfit) {
    const detail = { keyId: newest.value.keyId, code: newest.value.unfit.code };
    deps.log.write({ level: 'warning', event: 'vendor-key.not-followed', detail });
    return 0;
  }
  if (held?.value === undefined || roundName(state) !== roundName(held.value) || differs(held.value, state))
    if (!(await keep(deps, held, state))) return 0;
  return state.wholeAt === undefined ? walk(deps, state, newest.value) : 0;
}

/** Whether the last round began after every process had stopped wrapping under an older version: then no company key is under one. */
export const isVendorKeySettled = ({ since, began, wholeAt }: VendorKeyState): boolean =>
  wholeAt !== undefined && Date.parse(began) - Date.parse(since) >= SETTLED_AFTER_MS;

const differs = (a: VendorKeyState, b: VendorKeyState): boolean => a.warnings.join() !== b.warnings.join();

function roundOf(known: VendorKeyState | undefined, { keyId, warnings }: ReadKey, now: Date): VendorKeyState {
  const began = now.toISOString();
  const codes = warnings.map(({ code }) => code);
  if (known?.keyId !== keyId) return { keyId, since: began, began, warnings: codes };
  const { wholeAt: _over, ...same } = known;
  const isDue = known.wholeAt !== undefined && !isVendorKeySettled(known);
  const isTime = now.getTime() - Date.parse(known.since) >= SETTLED_AFTER_MS;
  return isDue && isTime ? { ...same, began, warnings: codes } : { ...known, warnings: codes };
}

function warnAnew({ log }: Following, known: VendorKeyState | undefined, { keyId, warnings }: VendorKeyState): void {
  for (const code of warnings.filter((one) => known?.warnings.includes(one) !== true))
    log.write({ level: 'warning', event: 'vendor-key.warning', detail: { keyId, code } });
}

/** False if another instance was first: it goes on. */
async function keep(
  deps: Following,
  held: Found<VendorKeyState | undefined> | undefined,
  next: VendorKeyState,
): Promise<boolean> {
  const kept = await changeOnce(deps, (tx) => void tx.put(vendorKeyRow, {}, held, next));
  return kept.ok;
}

/** As the items note it that have followed in it. */
const roundName = ({ began, keyId }: VendorKeyState): string => `${began} ${keyId}`;

async function walk(deps: Following, state: VendorKeyState, newest: ReadKey): Promise<number> {
  const older = new OlderVersions(deps, newest);
  let left = 0;
  const { sum, whole } = await walkAgenda(deps, { kind: 'vendor-key', lanes: LANES }, async (item) => {
    if (text(item.cells, 'round') === roundName(state)) return 0;
    left += 1;
    const made = await followOne(deps, item, older);
    if (made === undefined) return 0;
    left -= 1;
    if (made === 'nothing') await leave(deps, item, state);
    else await noteOnAgenda(deps.tables, item, { round: roundName(state), emptyAt: '' });
    return made !== 'nothing' && made > 0 ? 1 : 0;
  });
  if (!whole || left > 0) return sum;
  const held = await find(deps.tables, vendorKeyRow, {});
  if (!held?.value || roundName(held.value) !== roundName(state)) return sum;
  const done = { ...state, wholeAt: deps.clock.now().toISOString() };
  if (await keep(deps, held, done)) {
    const detail = { keyId: state.keyId, isSettled: isVendorKeySettled(done) };
    deps.log.write({ level: 'info', event: 'vendor-key.followed', detail });
  }
  return sum;
}

/**
 * An act that has put the item on, or renewed it, may write only now. So it goes where an earlier round found nothing either, so long ago that such an act
 * is over, and no act has renewed it since.
 */
async function leave(deps: Following, item: ListedAgendaItem, state: VendorKeyState): Promise<void> {
  const now = deps.clock.now();
  const emptyForMs = now.getTime() - Date.parse(text(item.cells, 'emptyAt') ?? '');
  if (emptyForMs >= SETTLED_AFTER_MS) await takeOffListed(deps.tables, item);
  else await noteOnAgenda(deps.tables, item, { round: roundName(state), emptyAt: now.toISOString() });
}

/** How many wraps were made; undefined if some are still under an older version. */
type Made = number | 'nothing' | undefined;

/** `nothing`: it names nothing that the vendor's key wraps. */
async function followOne(deps: Following, item: ListedAgendaItem, older: OlderVersions): Promise<Made> {
  const rowKey = rowWithSecrets(item);
  return rowKey === undefined ? followKeyring(deps, item, older) : followRow(deps, { item, rowKey }, older);
}

async function followKeyring(deps: Following, item: ListedAgendaItem, older: OlderVersions): Promise<Made> {
  const { ref } = deps.providers.vendor;
  const place = { companyId: item.companyId, keyringId: item.id };
  const listed = await companyKeysOfKeyring(deps, place);
  if (!listed.ok) return undefined;
  const named = listed.value.rows.flatMap(({ value }) => wrapOf(value, ref)?.keyId ?? []);
  if (named.length === 0 && listed.value.isWhole) return (await comesBack(deps, place)) ? 0 : 'nothing';
  const insteadOf = await older.among(named);
  if (!insteadOf) return undefined;
  const followed = await followKeyVersion(
    deps,
    { ...place, ref, found: { newest: older.newest, insteadOf } },
    KEYSWITCH,
  );
  if (followed.ok) return followed.value.rewrapped;
  const code = followed.error.type === 'failure' ? followed.error.failure.code : followed.error.type;
  deps.log.write({ level: 'warning', event: 'key-version.not-followed', detail: { ...place, code } });
  return undefined;
}

async function followRow(
  deps: Following,
  { item, rowKey }: { readonly item: ListedAgendaItem; readonly rowKey: string },
  older: OlderVersions,
): Promise<Made> {
  const place = { companyId: item.companyId, rowKey };
  const versions = await versionsOfSecrets(deps, place);
  if (versions === undefined) return 'nothing';
  const insteadOf = await older.among(versions);
  if (!insteadOf) return undefined;
  const followed = await followSecrets(deps, place, { newest: older.newest, insteadOf });
  if (followed.ok) return followed.value;
  const code = followed.error.type === 'failure' ? followed.error.failure.code : followed.error.type;
  deps.log.write({ level: 'warning', event: 'key-version.not-followed', detail: { ...place, code } });
  return undefined;
}

/** Undefined if the row holds no secret any more; none if it cannot be read, which counts as forged. */
async function versionsOfSecrets(
  { tables }: Following,
  place: { readonly companyId: string; readonly rowKey: string },
): Promise<readonly string[] | undefined> {
  const row = await findSecrets(tables, place);
  if (row === 'unreadable') return [];
  return row && row.secrets.length > 0 ? row.secrets.map(({ secret }) => secret.keyId) : undefined;
}

/** Whether a switch leads to the vendor's key, or may: one that begins renews the item, so that it is not taken off. */
async function comesBack(
  deps: Following,
  place: { readonly companyId: string; readonly keyringId: string },
): Promise<boolean> {
  const keyring = await loadKeyring(deps.tables, place);
  const { switchId } = keyring?.value ?? {};
  if (switchId === undefined) return false;
  const sw = await loadSwitch(deps.tables, { ...place, switchId });
  return sw === undefined || sameProvider(sw.value.target, deps.providers.vendor.ref);
}

/** Which versions the newest takes the place of: each is read once in a slice. */
class OlderVersions {
  readonly newest: ReadKey;
  readonly #deps: Following;
  readonly #judged = new Map<string, Promise<boolean>>();

  constructor(deps: Following, newest: ReadKey) {
    this.#deps = deps;
    this.newest = newest;
  }

  /** Undefined if one of them cannot be judged, or is not followed. */
  async among(keyIds: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    const older = new Set<string>();
    for (const keyId of new Set(keyIds)) {
      if (keyId === this.newest.keyId) continue;
      if (!this.#judged.has(keyId)) this.#judged.set(keyId, this.#isOlder(keyId));
      if (!(await this.#judged.get(keyId))) return undefined;
      older.add(keyId);
    }
    return older;
  }

  async #isOlder(keyId: string): Promise<boolean> {
    const { vendor } = this.#deps.providers;
    const read = await this.#deps.providers.of(vendor.ref).read(vendor, { purpose: 'in-force', keyId });
    const { log } = this.#deps;
    const refusal = read.ok ? read.value.denials[0] : read.error;
    if (!read.ok || refusal) {
      log.write({ level: 'error', event: 'vendor-key.not-read', detail: { keyId, code: refusal?.code } });
      return false;
    }
    const judged = judgeNewest(read.value, this.newest);
    if (judged.type === 'follow') return true;
    log.write({ level: 'warning', event: 'vendor-key.not-followed', detail: { keyId, reason: judged.type } });
    return false;
  }
}
