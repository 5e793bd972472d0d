// Exports that lose a race or an answer: decided anew, and answered for what was written and for nothing else.
import { describe, expect, it } from 'vitest';
import { parseExport } from '../../../shared/domain/company-key-export.ts';
import { connectionRowKey, companyKeyRowKey, exportRowKey } from '../../../shared/store/rows/row-keys.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import type { Tables, WriteOutcome } from '../../../shared/store/tables.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';
import { codeOf, Exports, HOUR_MS, recipient } from './export-world.ts';
import { COMPANY, FABRIKAM, KEYRING, place, type Rig } from '../switches/rig.ts';

/** The store, in which the first export is written only after it was looked for in vain; and `then` others go on. */
function landingLate({ store }: Rig, then: () => Promise<void> = () => Promise.resolve()): Tables {
  let isFirst = true;
  let late: (() => Promise<WriteOutcome>) | undefined;
  return tablesBut(store, {
    write: (table, partitionKey, writes) => {
      const commit = (): Promise<WriteOutcome> => store.write(table, partitionKey, writes);
      if (!isFirst || !writes.some(({ rowKey }) => rowKey === exportRowKey(KEYRING))) return commit();
      isFirst = false;
      late = commit;
      return Promise.resolve({ outcome: 'unknown' });
    },
    read: async (table, partitionKey, rowKey) => {
      const row = await store.read(table, partitionKey, rowKey);
      const commit = late;
      // Whether the event is in its chain is the last that is looked for.
      if (!commit || table !== 'events') return row;
      late = undefined;
      expect((await commit()).outcome).toBe('committed');
      await then();
      return row;
    },
  });
}

async function switchTo(rig: Rig, target = FABRIKAM): Promise<void> {
  valueOf(await startSwitch(rig.deps, { ...place('s2'), target }, ADMIN));
  await rig.drain();
}

describe('an export that is written only after its answer was given up', () => {
  it('is answered, though by then there is nothing left that would permit it', async () => {
    const exports = await Exports.afterSwitch(1);
    const answer = valueOf(await exports.export({ tables: landingLate(exports.rig) }));
    expect(answer.versions).toEqual([2]);
    expect(await exports.state()).toEqual({ round: 0 });
    expect(exports.events()).toHaveLength(1);
    expect(exports.rig.vaults.countOf('unwrap')).toBe(1);
  });

  it('is answered also where a switch began since', async () => {
    const exports = await Exports.afterSwitch(1);
    const then = async (): Promise<void> => {
      valueOf(await startSwitch(exports.rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN));
    };
    expect(valueOf(await exports.export({ tables: landingLate(exports.rig, then) })).versions).toEqual([2]);
    expect(exports.events()).toHaveLength(1);
  });

  it.each([
    ['still on its way to the chain', 0],
    ['in the chain already', HOUR_MS],
  ])('is answered with the key that it was written for, where a switch ended since: its event is %s', async (_, ms) => {
    const exports = await Exports.afterSwitch(1);
    const { rig } = exports;
    const then = async (): Promise<void> => {
      await switchTo(rig);
      rig.clock.advance(ms);
      await sweepOutboxes(rig.deps);
    };
    const answer = valueOf(await exports.export({ tables: landingLate(rig, then) }));
    expect(answer.versions).toEqual([2]);
    expect(valueOf(parseExport(exports.sealer.contentOf(answer.jwe))).versions).toMatchObject([{ version: 2 }]);
    expect(exports.events()).toMatchObject([{ detail: { by: 'allowance', companyKeyVersion: 2 } }]);
    // What the later switch allows is still to be had, once.
    expect(valueOf(await exports.export()).versions).toEqual([3]);
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    expect(exports.events()).toHaveLength(2);
  });
});

describe('an export whose answer was lost, and that was never written,', () => {
  it('is decided anew: where a switch ended since, the key in force by then is exported and recorded', async () => {
    const exports = await Exports.afterSwitch(1);
    const { store } = exports.rig;
    let isFirst = true;
    const tables = tablesBut(store, {
      write: async (table, partitionKey, writes) => {
        if (!isFirst || !writes.some(({ rowKey }) => rowKey === exportRowKey(KEYRING)))
          return store.write(table, partitionKey, writes);
        isFirst = false;
        await switchTo(exports.rig);
        return { outcome: 'unknown' };
      },
    });
    const answer = valueOf(await exports.export({ tables }));
    expect(answer.versions).toEqual([3]);
    expect(exports.events()).toMatchObject([{ detail: { companyKeyVersion: 3 } }]);
    expect(await exports.state()).toEqual({ round: 0 });
  });
});

describe('an export that finds its keyring in between', () => {
  it('is decided anew where the company key that it looked for went with a switch', async () => {
    const exports = await Exports.afterSwitch(1);
    const { store } = exports.rig;
    let isFirst = true;
    const tables = tablesBut(store, {
      read: async (table, partitionKey, rowKey) => {
        if (isFirst && rowKey === companyKeyRowKey(KEYRING, 2)) {
          isFirst = false;
          await switchTo(exports.rig);
        }
        return store.read(table, partitionKey, rowKey);
      },
    });
    expect(valueOf(await exports.export({ tables })).versions).toEqual([3]);
    expect(exports.events()).toMatchObject([{ detail: { companyKeyVersion: 3 } }]);
  });
});

describe('an export that is refused', () => {
  const told = (exports: Exports): readonly string[] =>
    exports.rig.log.events().filter((event) => event === 'company-key.exported');

  it('is not logged as one that was made', async () => {
    const exports = await Exports.afterSwitch(1);
    valueOf(await exports.export());
    expect(told(exports)).toHaveLength(1);
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    expect(told(exports)).toHaveLength(1);
  });

  it('is refused for the reason that its vault is not known, where verifications lead there', async () => {
    const exports = await Exports.afterSwitch(1);
    await exports.register();
    valueOf(await exports.export());
    await exports.verify(0);
    const rowKey = connectionRowKey('contoso');
    exports.rig.store.tamper('companies', COMPANY, rowKey, { format: 1 });
    expect(codeOf(await exports.export())).toBe('row-forged');
    expect(await exports.state()).toEqual({ round: 0 });
    expect(exports.events()).toHaveLength(1);
  });

  it('names the row that somebody forged to whoever reads the log', async () => {
    const exports = await Exports.afterSwitch(1);
    const row = companyKeyRowKey(KEYRING, 2);
    const { cells } = (await exports.rig.store.read('companies', COMPANY, row))!;
    exports.rig.store.tamper('companies', COMPANY, row, { ...cells, wraps: '[]' });
    expect(errorOf(await exports.export())).toMatchObject({ failure: { facts: { detail: row } } });
    expect(exports.rig.log.entries).toContainEqual({
      level: 'error',
      event: 'security.row-forged',
      detail: { companyId: COMPANY, row },
    });
  });
});

it('an export to a passphrase is recorded with how it was sealed, and not to whom', async () => {
  const exports = await Exports.afterSwitch(1);
  valueOf(await exports.export());
  expect(exports.events().map(({ detail }) => detail)).toEqual([
    { algorithm: recipient.algorithm, by: 'allowance', companyKeyVersion: 2, recipient: 'passphrase', round: 0 },
  ]);
});
