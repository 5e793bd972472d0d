// Re-seals rows with the newest version of the seal key, so that an older version can be disabled. A round covers all companies in slices, each going on
// where the last stopped. Rounds: one a day, one at once for a new version, and one more when no process can seal with an older version any more. A seal that
// does not verify is counted and left alone. So is a company whose rows cannot be read or written just then: it does not hold
// up the others.
import { NO_COMPANY } from '../../domain/ids.ts';
import { sealVerifies } from '../../domain/seal.ts';
import type { Seal } from '../../domain/company-key.ts';
import type { Clock, Log, Sealer } from '../../domain/ports.ts';
import { changeOnce } from '../../store/act.ts';
import { SLICE_MS } from '../../store/agenda-walk.ts';
import { companiesListed } from '../../store/company-index.ts';
import { find, list, walk } from '../../store/found.ts';
import { pagesOf } from '../../store/list-pages.ts';
import { headRow, signedHeadRow } from '../../store/rows/audit-rows.ts';
import { MalformedRow } from '../../store/rows/cells.ts';
import { isSettled, resealingRow, SETTLED_AFTER_MS, type ResealingState } from '../../store/rows/resealing-rows.ts';
import type { SealedPart } from '../../store/rows/row.ts';
import { webhookRow, webhooksOf } from '../../store/rows/webhook-rows.ts';
import { sealedIn, sealedRow, type SealedRow } from '../../store/sealed.ts';
import type { Tables } from '../../store/tables.ts';

export interface Resealing {
  readonly tables: Tables;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
}

const ROUND_EVERY_MS = 24 * 60 * 60 * 1000;
const PAGE_ROWS = 200;

interface Tally {
  resealed: number;
  met: number;
}

/** For the timer. Answers how many rows it re-sealed. */
export async function sweepSeals(deps: Resealing, { budgetMs = SLICE_MS } = {}): Promise<number> {
  const { tables, clock, log } = deps;
  const newest = await deps.sealer.newestVersion();
  if (!newest.ok) {
    log.write({ level: 'warning', event: 'seals.not-renewed', detail: { code: newest.error.code } });
    return 0;
  }
  const held = await find(tables, resealingRow, {});
  const state = held?.value;
  const now = clock.now();
  if (state && !isDue(state, newest.value, now)) return 0;
  const from = roundOf(state, newest.value, now);
  const deadlineMs = now.getTime() + budgetMs;
  const tally: Tally = { resealed: 0, met: from.met };
  const after = await round(deps, { from: from.after, version: newest.value, deadlineMs }, tally);
  const next: ResealingState =
    after === undefined
      ? { ...from, after: '', met: 0, left: tally.met, wholeAt: clock.now().toISOString() }
      : { ...from, after, met: tally.met };
  if (after === undefined && tally.met > 0) {
    log.write({ level: 'warning', event: 'seals.left', detail: { seals: tally.met, version: newest.value } });
  }
  // A lost race is harmless: another host has re-sealed the same rows.
  await changeOnce(deps, (tx) => void tx.put(resealingRow, {}, held, next));
  return tally.resealed;
}

const wholeOf = (state: ResealingState | undefined): Pick<ResealingState, 'wholeAt'> =>
  state?.wholeAt === undefined ? {} : { wholeAt: state.wholeAt };

/** The round that is in progress, or the next one. A first round has no older known version. */
function roundOf(state: ResealingState | undefined, version: string, now: Date): ResealingState {
  const began = now.toISOString();
  if (state?.version === version) return state.after === '' ? { ...state, began, met: 0 } : state;
  const since = state ? began : new Date(now.getTime() - SETTLED_AFTER_MS).toISOString();
  return { version, since, began, after: '', met: 0, left: state?.left ?? 0, ...wholeOf(state) };
}

function isDue(state: ResealingState, newest: string, now: Date): boolean {
  const { version, since, after, wholeAt, left } = state;
  if (version !== newest || after !== '' || left > 0 || wholeAt === undefined) return true;
  if (now.getTime() - Date.parse(wholeAt) >= ROUND_EVERY_MS) return true;
  return !isSettled(state) && now.getTime() - Date.parse(since) >= SETTLED_AFTER_MS;
}

/** The index row of the last company that was looked at, if the time was up; undefined at the end of the round. */
async function round(
  deps: Resealing,
  slice: { readonly from: string; readonly version: string; readonly deadlineMs: number },
  tally: Tally,
): Promise<string | undefined> {
  let after = slice.from;
  const { version } = slice;
  if (after === '') await byItself(deps, NO_COMPANY, tally, () => resealOfAll(deps, version, tally));
  const how = { limit: PAGE_ROWS, toTheEnd: true, ...(after === '' ? {} : { after }) };
  for await (const listed of walk(deps.tables, companiesListed, {}, how)) {
    for (const { place, at } of listed) {
      // However slow the store is, each slice looks at one company at least.
      if (after !== slice.from && deps.clock.now().getTime() >= slice.deadlineMs) return after;
      await byItself(deps, place.companyId, tally, () => resealCompany(deps, { ...place, version }, tally));
      after = at.rowKey;
    }
  }
  return undefined;
}

/** A company that could not be looked at counts as one more seal left, so that the next round comes at once. */
async function byItself({ log }: Resealing, companyId: string, tally: Tally, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tally.met += 1;
    const detail = { company: companyId, error: error instanceof Error ? error.name : 'unknown' };
    log.write({ level: 'error', event: 'seals.look-failed', detail });
  }
}

async function resealCompany(
  deps: Resealing,
  { companyId, version }: { readonly companyId: string; readonly version: string },
  tally: Tally,
): Promise<void> {
  for await (const { rows } of pagesOf(deps.tables, {
    table: 'companies',
    partitionKey: companyId,
    limit: PAGE_ROWS,
  })) {
    for (const row of rows) {
      const sealed = await readable(() => sealedRow(companyId, row));
      if (sealed?.parts.some(({ seal }) => seal.keyVersion !== version))
        await resealRow(deps, { sealed, version }, tally);
    }
  }
  await resealHead(deps, { companyId, version }, tally);
}

/** What belongs to no company: webhooks that get the events of all, and the head of its chain. Beside them lies the index of all companies. */
async function resealOfAll(deps: Resealing, version: string, tally: Tally): Promise<void> {
  for (const { place, ...row } of await list(deps.tables, webhooksOf, { companyId: NO_COMPANY })) {
    const sealed = sealedIn(webhookRow, place, row);
    if (sealed?.parts.some(({ seal }) => seal.keyVersion !== version))
      await resealRow(deps, { sealed, version }, tally);
  }
  await resealHead(deps, { companyId: NO_COMPANY, version }, tally);
}

/** Re-seals the last signed head: the next head is signed only if it leads on from there. */
async function resealHead(
  deps: Resealing,
  { companyId, version }: { readonly companyId: string; readonly version: string },
  tally: Tally,
): Promise<void> {
  const head = await readable(() => find(deps.tables, headRow, { companyId }));
  const place = { companyId, sequence: head?.value.signedSequence ?? 0 };
  const signed = place.sequence > 0 ? await find(deps.tables, signedHeadRow, place) : undefined;
  const sealed = signed && sealedIn(signedHeadRow, place, signed);
  if (sealed?.parts.some(({ seal }) => seal.keyVersion !== version)) await resealRow(deps, { sealed, version }, tally);
}

/** Undefined if the row cannot be read; the operations that need it report that. */
async function readable<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MalformedRow) return undefined;
    throw error;
  }
}

async function resealRow(
  deps: Resealing,
  { sealed, version }: { readonly sealed: SealedRow; readonly version: string },
  tally: Tally,
): Promise<void> {
  const seals: Seal[] = [];
  for (const part of sealed.parts) {
    const seal = part.seal.keyVersion === version ? part.seal : await resealed(deps, part);
    if (!seal) {
      tally.met += 1;
      return;
    }
    seals.push(seal);
  }
  // Another writer may have changed it meanwhile and sealed it again; the next round looks.
  const written = await changeOnce(deps, (tx) => {
    sealed.reseal(tx, seals);
  });
  if (written.ok) tally.resealed += 1;
  else tally.met += 1;
}

/** Undefined if the seal does not verify, or the vault cannot be asked: the next round tries again. */
async function resealed({ sealer, log }: Resealing, { bytes, seal }: SealedPart): Promise<Seal | undefined> {
  const publicKey = await sealer.publicKey(seal.keyVersion);
  if (publicKey.ok && !(publicKey.value && sealVerifies({ bytes, seal, publicKey: publicKey.value }))) return undefined;
  const next = publicKey.ok ? await sealer.sign(bytes) : publicKey;
  if (next.ok) return next.value;
  log.write({ level: 'warning', event: 'seals.not-renewed', detail: { code: next.error.code } });
  return undefined;
}
