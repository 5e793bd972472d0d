// A chain of any length is checked in pieces, each of which reads so many rows and no more, and finds what the check in one piece finds.
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChainHead } from '../../../shared/domain/audit.ts';
import { HEAD_ROW_KEY, markerRowKey, recordRowKey, signedRowKey } from '../../../shared/store/rows/row-keys.ts';
import { readContinuation } from '../../../shared/operations/audit/check-continuation.ts';
import { verifyEvents, type ChainPiece } from '../../../shared/operations/audit/verify-events.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';
import { ChainRig, headOf, RECORDS, SIGNED_AT } from './chain-rig.ts';
import { COMPANY } from './chain.ts';

let chain: ChainRig;
beforeEach(async () => {
  chain = await ChainRig.started();
});

/** Every piece, each of one page with a few rows. */
async function pieces(from: { known?: ChainHead; from?: ChainHead } = {}, rows = 3): Promise<readonly ChainPiece[]> {
  const { store } = chain.rig;
  const tables = tablesBut(store, {
    list: (query) => store.list({ ...query, limit: Math.min(query.limit, rows) }),
  });
  const found: ChainPiece[] = [];
  let continuation: string | undefined;
  do {
    const asked = { companyId: COMPANY, ...(continuation === undefined ? from : { continuation }) };
    found.push(valueOf(await verifyEvents({ ...chain.deps, tables }, asked, { maxRows: 1 })));
    continuation = found.at(-1)?.continuation;
  } while (continuation !== undefined);
  return found;
}

const told = (found: readonly ChainPiece[]): string[] => [
  ...new Set(found.flatMap(({ problems }) => problems.map(({ code, sequence }) => `${code} ${sequence}`))),
];

it('an intact chain is unfinished until its last piece', async () => {
  const found = await pieces();
  expect(found.length).toBeGreaterThan(2 * (RECORDS / 3));
  expect(found.map(({ status }) => status)).toEqual([...found.slice(1).map(() => 'unfinished'), 'intact']);
  expect(found.at(-1)?.head).toEqual(headOf(chain.record(RECORDS)));
});

it('a piece reads no more rows than it may', async () => {
  const before = await verifyEvents(chain.deps, { companyId: COMPANY }, { maxRows: 1 });
  expect(before).toMatchObject({ value: { status: 'unfinished' } });
  expect(await verifyEvents(chain.deps, { companyId: COMPANY }, { maxRows: 3 * RECORDS })).toMatchObject({
    value: { status: 'intact' },
  });
});

describe('in pieces is found what is found in one piece, where', () => {
  it.each<[string, () => void | Promise<void>]>([
    ['a record was changed', () => chain.put(5, { ...chain.record(5), by: 'nobody' })],
    ['records are missing', () => chain.remove(recordRowKey(3), recordRowKey(4))],
    ['the end is missing', () => chain.remove(recordRowKey(RECORDS), markerRowKey(chain.record(RECORDS).id))],
    ['the chain was written anew', () => chain.rewriteFrom(2, { by: 'nobody' })],
    ['a marker is missing', () => chain.remove(markerRowKey(chain.record(6).id))],
    [
      'a record has another marker',
      () => chain.rig.store.tamper('events', COMPANY, markerRowKey('made-up'), { format: 1, sequence: 4 }),
    ],
    ['a signature is forged', () => chain.forgeSignature(SIGNED_AT)],
    ['a signature is missing', () => chain.remove(signedRowKey(SIGNED_AT))],
    ['the head is forged', () => chain.setHead({ hash: 'f'.repeat(64) })],
    ['the head cannot be read', () => chain.rig.store.tamper('events', COMPANY, HEAD_ROW_KEY, { format: 1 })],
  ])('%s', async (_what, change) => {
    await change();
    const whole = await chain.problems();
    const found = await pieces();
    expect(whole).not.toEqual([]);
    expect(told(found).sort()).toEqual([...whole].sort());
    expect(found.at(-1)?.status).toBe('broken');
  });
});

it('a head that is known from the log is looked for in whatever piece it is', async () => {
  const known = headOf(chain.record(10));
  expect((await pieces({ known })).at(-1)?.status).toBe('intact');
  const other = { ...known, hash: '0'.repeat(64) };
  expect(told(await pieces({ known: other }))).toEqual(['rewritten 10']);
  expect(told(await pieces({ known: { ...known, sequence: 99 } }))).toEqual([`tail-cut-off ${RECORDS + 1}`]);
});

describe('a check that begins behind a signed head', () => {
  it('looks at nothing before it', async () => {
    const from = headOf(chain.record(SIGNED_AT));
    await chain.remove(recordRowKey(2), markerRowKey(chain.record(5).id));
    expect((await pieces({ from })).at(-1)).toMatchObject({ status: 'intact', head: { sequence: RECORDS } });
    chain.put(10, { ...chain.record(10), by: 'nobody' });
    expect(told(await pieces({ from }))).toEqual(['changed 10']);
  });

  it('finds out that the chain does not lead on from it', async () => {
    const from = { sequence: SIGNED_AT, hash: '0'.repeat(64) };
    expect((await pieces({ from })).at(-1)?.status).toBe('broken');
    const atEnd = { sequence: RECORDS, hash: '0'.repeat(64) };
    expect(told(await pieces({ from: atEnd }))).toEqual([`head-forged ${RECORDS}`]);
  });
});

it('what is appended and signed between two pieces breaks nothing', async () => {
  const first = valueOf(await verifyEvents(chain.deps, { companyId: COMPANY }, { maxRows: 1 }));
  await chain.append(4);
  await chain.sign();
  const { continuation = '' } = first;
  expect(await verifyEvents(chain.deps, { companyId: COMPANY, continuation })).toMatchObject({
    value: { status: 'intact' },
  });
});

describe('a continuation that somebody made up', () => {
  const SIGNED = 40;
  const made = async (change: Record<string, unknown>): Promise<string> => {
    const { continuation = '' } = valueOf(await verifyEvents(chain.deps, { companyId: COMPANY }, { maxRows: 1 }));
    const { progress, ...place } = JSON.parse(continuation) as { progress: object };
    return JSON.stringify({ ...place, ...change, progress: { ...progress, last: { sequence: 0, hash: '' } } });
  };
  beforeEach(async () => {
    for (let hour = 0; hour < SIGNED; hour += 1) {
      await chain.append(1);
      await chain.sign();
    }
  });

  it('has no more looked up behind its last record than a piece may', async () => {
    const continuation = await made({ phase: 'compare-records', after: recordRowKey(RECORDS + SIGNED) });
    let reads = 0;
    const tables = tablesBut(chain.rig.store, { read: (...row) => ((reads += 1), chain.rig.store.read(...row)) });
    const asked = { companyId: COMPANY, continuation };
    const piece = valueOf(await verifyEvents({ ...chain.deps, tables }, asked, { maxRows: 30 }));
    expect(piece.status).toBe('broken');
    // Three records, the head before and after, and whether there is such a company.
    expect(reads).toBeLessThanOrEqual(3 + 4);
  });

  it('is none if it stands elsewhere than at its last record', async () => {
    const continuation = await made({ phase: 'records' });
    expect(readContinuation(continuation)).toBeUndefined();
  });
});

describe('a signature by a version of the seal key that was disabled', () => {
  beforeEach(() => {
    chain.vaults.rotateSealKey();
  });

  it('is covered by a later one that verifies', async () => {
    await chain.sign();
    chain.vaults.disableSealKey(keyVersionOf(1));
    expect((await pieces()).at(-1)?.status).toBe('intact');
    expect(await chain.problems()).toEqual([]);
  });

  it('is told of as long as there is none', async () => {
    chain.vaults.disableSealKey(keyVersionOf(1));
    expect(told(await pieces())).toEqual([`signature-forged ${SIGNED_AT}`]);
  });
});

it.each(['', 'x', '{}', '{"phase":"records","after":"1"}', '[]', 'x'.repeat(5_000)])(
  'a continuation that is none of ours is refused: %s',
  async (continuation) => {
    expect(readContinuation(continuation)).toBeUndefined();
    expect(errorOf(await verifyEvents(chain.deps, { companyId: COMPANY, continuation }))).toMatchObject({
      type: 'invalid',
      target: 'continuation',
    });
  },
);
