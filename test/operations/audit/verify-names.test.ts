// What the check of a chain names, and that it names nothing else.
import { beforeEach, describe, expect, it } from 'vitest';
import { markerCells, recordCells } from '../../../shared/store/rows/audit-rows.ts';
import { markerRowKey, recordRowKey, signedRowKey } from '../../../shared/store/rows/row-keys.ts';
import { ChainRig, OTHER, RECORDS, SIGNED_AT } from './chain-rig.ts';
import { COMPANY } from './chain.ts';

let chain: ChainRig;
beforeEach(async () => {
  chain = await ChainRig.started();
});

const signedRow = (sequence = SIGNED_AT) =>
  chain.rig.store.peek('events', COMPANY, signedRowKey(sequence))?.cells ?? {};

describe('a chain of which one thing was changed', () => {
  type Change = readonly [name: string, change: () => void | Promise<void>, problems: readonly string[]];
  const changes: readonly Change[] = [
    ['a marker is gone', () => chain.remove(markerRowKey(chain.record(4).id)), ['record-without-marker 4']],
    [
      'a marker is there of an event that never was',
      () => chain.rig.store.tamper('events', COMPANY, markerRowKey('never'), markerCells(4)),
      ['marker-without-record 4'],
    ],
    [
      'a marker names another record',
      () => chain.rig.store.tamper('events', COMPANY, markerRowKey(chain.record(4).id), markerCells(5)),
      ['marker-without-record 5'],
    ],
    [
      'a marker names a record that is not there yet',
      () => chain.rig.store.tamper('events', COMPANY, markerRowKey('never'), markerCells(RECORDS + 1)),
      [`marker-without-record ${RECORDS + 1}`],
    ],
    ['a record is gone', () => chain.remove(recordRowKey(4)), ['gap 4', 'marker-without-record 4']],
    [
      'a record cannot be read',
      () => chain.rig.store.tamper('events', COMPANY, recordRowKey(4), {}),
      ['changed 4', 'marker-without-record 4'],
    ],
    [
      'a record and its marker are of another company',
      async () => {
        await chain.append(RECORDS, OTHER);
        const { id } = chain.record(4, OTHER);
        await chain.remove(markerRowKey(chain.record(4).id));
        chain.rig.store.tamper('events', COMPANY, markerRowKey(id), markerCells(4));
        chain.rig.store.tamper('events', COMPANY, recordRowKey(4), recordCells(chain.record(4, OTHER)));
      },
      ['changed 4'],
    ],
    [
      'a signature cannot be read',
      () => chain.rig.store.tamper('events', COMPANY, signedRowKey(SIGNED_AT), { format: 1 }),
      [`signature-forged ${SIGNED_AT}`],
    ],
    [
      'a signature stands at another record',
      () => chain.rig.store.tamper('events', COMPANY, signedRowKey(RECORDS), signedRow()),
      [`signature-forged ${RECORDS}`],
    ],
    [
      'a signature stands where no record is',
      () => chain.rig.store.tamper('events', COMPANY, signedRowKey(RECORDS + 1), signedRow()),
      [`signature-forged ${RECORDS + 1}`],
    ],
    [
      'a signature is by a key that there is not',
      () => {
        const seal = JSON.stringify({ ...(JSON.parse(String(signedRow()['seal'])) as object), keyVersion: 'none' });
        chain.rig.store.tamper('events', COMPANY, signedRowKey(SIGNED_AT), { ...signedRow(), seal });
      },
      [`signature-forged ${SIGNED_AT}`],
    ],
  ];

  it.each(changes)('%s', async (_, change, problems) => {
    await change();
    expect(await chain.problems()).toEqual(problems);
    const logged = chain.rig.log.entries.filter(({ event }) => event === 'security.events-broken');
    expect(
      logged.map(({ level, detail }) => `${level} ${String(detail?.['code'])} ${String(detail?.['sequence'])}`),
    ).toEqual(problems.map((problem) => `error ${problem}`));
  });
});
