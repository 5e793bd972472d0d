// The timer signs only what leads on from what was signed before: else whoever writes the tables has a chain of their own signed by the seal key.
import { beforeEach, describe, expect, it } from 'vitest';
import { chained, CHAIN_START } from '../../../shared/domain/audit.ts';
import { headCells, readHead, recordCells } from '../../../shared/store/rows/audit-rows.ts';
import { HEAD_ROW_KEY, markerRowKey, recordRowKey, signedRowKey } from '../../../shared/store/rows/row-keys.ts';
import { leadsOn } from '../../../shared/operations/audit/leads-on.ts';
import { loadHead } from '../../../shared/store/append.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { ChainRig, headOf, RECORDS, SIGNED_AT } from './chain-rig.ts';
import { agendaIn, COMPANY } from './chain.ts';

let chain: ChainRig;
beforeEach(async () => {
  chain = await ChainRig.started();
});

const signed = (): number => readHead(chain.rig.store.peek('events', COMPANY, HEAD_ROW_KEY)!.cells).signedSequence;
const refusals = (): unknown[] =>
  chain.rig.log.entries.flatMap(({ event, detail }) => (event === 'security.head-not-led' ? [detail] : []));
const from = (sequence: number): string[] =>
  Array.from({ length: RECORDS - sequence + 1 }, (_, index) => recordRowKey(sequence + index));

it('a head that leads on from the last one is signed', async () => {
  expect(await chain.sign()).toBe(1);
  expect([signed(), refusals()]).toEqual([RECORDS, []]);
  expect(await chain.sign()).toBe(0);
});

describe('a head is not signed, and told of as a security event, where', () => {
  it.each<[string, string, number, () => void | Promise<void>]>([
    ['a record was changed', 'changed', 10, () => chain.put(10, { ...chain.record(10), by: 'nobody' })],
    ['a record is missing', 'gap', 10, () => chain.remove(recordRowKey(10))],
    ['the last records are missing', 'gap', 11, () => chain.remove(...from(11))],
    ['a record behind the last signature was written anew', 'changed', 9, () => chain.rewriteFrom(7, { by: 'nobody' })],
    ['the head names another hash', 'head-forged', RECORDS, () => chain.setHead({ hash: 'f'.repeat(64) })],
    ['the last signature is missing', 'signature-missing', SIGNED_AT, () => chain.remove(signedRowKey(SIGNED_AT))],
    ['the last signature is forged', 'signature-forged', SIGNED_AT, () => chain.forgeSignature(SIGNED_AT)],
    [
      'a signature is not told of by the head',
      'signature-beyond',
      SIGNED_AT,
      () => chain.setHead({ signedSequence: 0 }),
    ],
    [
      'the head says that more was signed than there is',
      'signature-beyond',
      20,
      () => chain.setHead({ signedSequence: 20 }),
    ],
  ])('%s', async (_what, code, sequence, change) => {
    const before = signed();
    await change();
    const claimed = signed();
    expect(await chain.sign()).toBe(0);
    expect(refusals()).toEqual([{ companyId: COMPANY, code, sequence }]);
    expect(signed()).toBe(claimed);
    expect([before, chain.vaults.countOf('sign')]).toEqual([SIGNED_AT, 1]);
    expect(agendaIn(chain.rig.store, 'head')).toHaveLength(1);
  });

  it('a chain was put in the place of the one that was signed', async () => {
    const first = chained({ ...chain.record(1), by: 'nobody' }, CHAIN_START);
    await chain.remove(...from(1));
    chain.rig.store.tamper('events', COMPANY, recordRowKey(1), recordCells(first));
    chain.rig.store.tamper('events', COMPANY, markerRowKey(first.id), { format: 1, sequence: 1 });
    chain.rig.store.tamper('events', COMPANY, HEAD_ROW_KEY, headCells({ ...headOf(first), signedSequence: 0 }));
    expect(await chain.sign()).toBe(0);
    expect(refusals()).toEqual([{ companyId: COMPANY, code: 'signature-beyond', sequence: SIGNED_AT }]);
  });
});

it('once the rows are what they were, the head is signed', async () => {
  const genuine = chain.record(10);
  chain.put(10, { ...genuine, by: 'nobody' });
  expect(await chain.sign()).toBe(0);
  chain.put(10, genuine);
  expect(await chain.sign()).toBe(1);
  expect(await chain.problems()).toEqual([]);
});

it('a last signature by a version that was disabled leads nowhere', async () => {
  chain.vaults.rotateSealKey();
  chain.vaults.disableSealKey(keyVersionOf(1));
  expect(await chain.sign()).toBe(0);
  expect(refusals()).toEqual([{ companyId: COMPANY, code: 'signature-forged', sequence: SIGNED_AT }]);
});

it('waits for a seal key that cannot be asked for, which is no security event', async () => {
  chain.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable', times: 1 });
  expect(await chain.sign()).toBe(0);
  expect(refusals()).toEqual([]);
  expect(await chain.sign()).toBe(1);
});

it('goes over so many records and no more, and on from there', async () => {
  const { value } = await loadHead(chain.rig.store, COMPANY);
  const led = await leadsOn(chain.deps, COMPANY, value, { maxRecords: 2 });
  expect(led).toEqual({ ok: true, value: { type: 'leads', to: headOf(chain.record(SIGNED_AT + 2)) } });
});
