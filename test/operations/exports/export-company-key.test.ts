import { describe, expect, it } from 'vitest';
import { parseExport } from '../../../shared/domain/company-key-export.ts';
import { unwrapDataKey } from '../../../shared/domain/data-key-blob.ts';
import { parseExportRecipient, type ExportRecipient } from '../../../shared/domain/export-recipient.ts';
import { companyCells } from '../../../shared/store/rows/company-rows.ts';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import { companyKeyRowKey, COMPANY_ROW_KEY, exportRowKey, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { loadCompany, loadKeyring, loadSwitch } from '../../../shared/store/control-state.ts';
import { exportCompanyKey } from '../../../shared/operations/exports/export-company-key.ts';
import { loadExportState } from '../../../shared/operations/exports/export-state.ts';
import type { Cells, Tables, WriteOutcome } from '../../../shared/store/tables.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { putTenant } from '../../../shared/operations/tenants/tenants.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { keyFixture, type KeyFixtureName } from '../../fixtures/key-fixtures.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEYRING, MANAGED, place, Rig } from '../switches/rig.ts';
import { codeOf, Exports, HOUR_MS, PASSPHRASE, PLACE, recipient } from './export-world.ts';

function publicKeyOf(name: KeyFixtureName): Extract<ExportRecipient, { type: 'public-key' }> {
  const { kty = '', crv, n, e, x, y } = keyFixture(name).publicKey.export({ format: 'jwk' });
  const to = valueOf(parseExportRecipient({ publicKey: { kty, crv, n, e, x, y } }));
  if (to.type !== 'public-key') throw new Error('is a key');
  return to;
}

describe('the export of a company key', () => {
  it('opens every data key, and says whose it is', async () => {
    const exports = await Exports.afterSwitch();
    const answer = valueOf(await exports.export());
    expect(answer).toMatchObject({ format: 'keyswitch.company-key-export.1', keyringId: KEYRING, versions: [2] });
    const content = valueOf(parseExport(exports.sealer.contentOf(answer.jwe)));
    expect(content).toMatchObject({ companyId: COMPANY, keyringId: KEYRING, provider: CONTOSO });
    expect(content.keyId).toMatch(/^https:\/\/contoso\.vault\.azure\.net\/keys\/customer-key\//);
    const { companyKey } = content.versions[0]!;
    for (const [keyId, plaintext] of exports.rig.plaintexts) {
      const { blob, companyKeyVersion } = await exports.rig.dataKey(keyId);
      expect(unwrapDataKey({ companyKey, context: { ...PLACE, keyId, companyKeyVersion }, blob })).toEqual(plaintext);
    }
  });

  it('asks the vault once, and overwrites the bytes that it was sealed from', async () => {
    const exports = await Exports.afterSwitch();
    valueOf(await exports.export());
    expect(exports.rig.vaults.countOf('unwrap')).toBe(1);
    expect(exports.sealer.sealed.map(({ given }) => given.every((byte) => byte === 0))).toEqual([true]);
  });

  it('is recorded with how it was permitted and to whom it went, and with nothing secret', async () => {
    const exports = await Exports.afterSwitch();
    const to = publicKeyOf('ec-p256-1');
    valueOf(await exports.export({ to }));
    expect(exports.events()).toEqual([
      {
        action: 'company-key.export',
        target: `keyring|${KEYRING}`,
        by: 'admin',
        detail: {
          algorithm: 'ECDH-ES',
          by: 'allowance',
          companyKeyVersion: 2,
          recipient: 'public-key',
          round: 0,
          thumbprint: to.thumbprint,
        },
      },
    ]);
  });

  it('leaves neither passphrase nor key nor answer in any row or log line', async () => {
    const exports = await Exports.afterSwitch();
    const { jwe } = valueOf(await exports.export());
    const { companyKey } = valueOf(parseExport(exports.sealer.contentOf(jwe))).versions[0]!;
    const bytes = companyKey.export();
    const kept = [...exports.rig.store.dump()].map(({ cells }) =>
      Object.values(cells).map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell)),
    );
    const text = JSON.stringify([kept, exports.rig.log.entries]);
    for (const secret of [
      PASSPHRASE,
      jwe,
      ...(['hex', 'base64', 'base64url'] as const).map((as) => bytes.toString(as)),
    ])
      expect(text).not.toContain(secret);
    expect(exports.rig.log.entries).toContainEqual({
      level: 'warning',
      event: 'company-key.exported',
      detail: PLACE,
    });
  });

  it.each([
    ['company', { companyId: 'nobody', keyringId: KEYRING }],
    ['keyring', { companyId: COMPANY, keyringId: 'nothing' }],
  ])('of no %s is none', async (what, at) => {
    const exports = await Exports.afterSwitch();
    const answer = await exportCompanyKey(exports.deps(), { ...at, recipient }, ADMIN);
    expect(errorOf(answer)).toMatchObject({ type: 'not-found', what });
  });

  it('is refused while the company is deleted or the keyring made, and uses nothing up', async () => {
    const exports = await Exports.afterSwitch();
    const { store } = exports.rig;
    const company = (await loadCompany(store, COMPANY))!.value;
    const keyring = (await loadKeyring(store, PLACE))!.value;
    const before = await exports.state();
    store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company, state: 'closing' }));
    expect(codeOf(await exports.export())).toBe('company-closing');
    store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells(company));
    store.tamper('companies', COMPANY, keyringRowKey(KEYRING), keyringCells({ ...keyring, state: 'creating' }));
    expect(codeOf(await exports.export())).toBe('keyring-not-ready');
    expect(await exports.state()).toEqual(before);
    expect(exports.rig.vaults.countOf('unwrap')).toBe(0);
  });
});

describe('the allowance of a completed switch', () => {
  it('is for one export, within a day', async () => {
    const exports = await Exports.afterSwitch();
    const endedAtMs = exports.rig.clock.now().getTime();
    expect(await exports.state()).toEqual({
      round: 0,
      allowanceUntil: new Date(endedAtMs + 24 * HOUR_MS).toISOString(),
    });
    valueOf(await exports.export());
    expect(await exports.state()).toEqual({ round: 0 });
    exports.rig.vaults.calls.length = 0;
    const again = await exports.export();
    expect(codeOf(again)).toBe('tenants-unverified');
    expect(errorOf(again)).toMatchObject({ message: expect.stringContaining('no tenant is registered') as string });
    expect(exports.rig.vaults.countOf('unwrap')).toBe(0);
    expect(exports.events()).toHaveLength(1);
  });

  it('is good to its last moment and not beyond', async () => {
    const exports = await Exports.afterSwitch();
    exports.rig.clock.advance(24 * HOUR_MS);
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    const inTime = await Exports.afterSwitch();
    inTime.rig.clock.advance(24 * HOUR_MS - 1);
    expect((await inTime.export()).ok).toBe(true);
  });

  it('is not given for a re-key or a cancel, and given anew for each switch', async () => {
    const rig = await Rig.withDataKeys(3);
    const exports = new Exports(rig);
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    valueOf(await startRekey(rig.deps, place('r1'), ADMIN));
    await rig.drain();
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    valueOf(await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN));
    await rig.drain({ enough: async () => (await rig.shards()).some(({ generation }) => generation === 2) });
    valueOf(await cancelSwitch(rig.deps, place('s1'), ADMIN));
    await rig.drain();
    expect(await exports.state()).toEqual({ round: 0 });
    for (const [switchId, target] of [
      ['s2', CONTOSO],
      ['s3', FABRIKAM],
      ['s4', MANAGED],
    ] as const) {
      valueOf(await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN));
      await rig.drain();
      expect((await exports.export()).ok).toBe(true);
      expect(codeOf(await exports.export())).toBe('tenants-unverified');
    }
  });

  it('is taken by exactly one of many who ask at once', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const exports = await Exports.afterSwitch(1);
      const none = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
      const answers = await Promise.all(
        [1, 2, 3].map((host) =>
          exports.export({ tables: new FaultyTables(exports.rig.store, { seed: seed * 10 + host, faults: none }) }),
        ),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      expect(exports.events()).toHaveLength(1);
    }
  });

  it('is not used up by a vault that denies or is away', async () => {
    const exports = await Exports.afterSwitch();
    for (const failure of ['key-disabled', 'vault-unreachable'] as const) {
      exports.rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure });
      expect(codeOf(await exports.export())).toBe(failure);
      exports.rig.vaults.heal();
    }
    expect(exports.events()).toEqual([]);
    expect((await exports.export()).ok).toBe(true);
  });

  it('is not used up by a company key that somebody has forged: nothing is sent', async () => {
    const exports = await Exports.afterSwitch();
    const rowKey = companyKeyRowKey(KEYRING, 2);
    const { cells } = (await exports.rig.store.read('companies', COMPANY, rowKey))!;
    for (const change of [
      { wraps: 'none' },
      { wraps: '[]' },
      { wraps: String(cells['wraps']).replace('"ciphertext":"', '"ciphertext":"A') },
    ]) {
      exports.rig.store.tamper('companies', COMPANY, rowKey, { ...cells, ...change });
      expect(codeOf(await exports.export())).toBe('row-forged');
    }
    expect(exports.rig.vaults.countOf('unwrap')).toBe(0);
    exports.rig.store.tamper('companies', COMPANY, rowKey, cells);
    expect((await exports.export()).ok).toBe(true);
  });

  it('is not made where the keyring names another vault than its key is in, which tenants would be shown', async () => {
    const exports = await Exports.afterSwitch();
    const rowKey = keyringRowKey(KEYRING);
    const { cells } = (await exports.rig.store.read('companies', COMPANY, rowKey))!;
    exports.rig.store.tamper('companies', COMPANY, rowKey, { ...cells, inForceConnectionId: 'fabrikam' });
    expect(codeOf(await exports.export())).toBe('row-forged');
    expect([exports.rig.vaults.countOf('unwrap'), exports.events()]).toEqual([0, []]);
    exports.rig.store.tamper('companies', COMPANY, rowKey, cells);
    expect((await exports.export()).ok).toBe(true);
  });

  it('that cannot be read allows nothing', async () => {
    const exports = await Exports.afterSwitch();
    const cells = { format: 1, round: 0, allowanceUntil: 'for ever' };
    exports.rig.store.tamper('companies', COMPANY, exportRowKey(KEYRING), cells);
    expect(codeOf(await exports.export())).toBe('row-forged');
    exports.rig.store.tamper('companies', COMPANY, exportRowKey(KEYRING), { ...cells, round: 'many' });
    await expect(exports.export()).rejects.toThrow('export|default');
  });

  it.each<[string, (cells: Cells) => Cells]>([
    ['a later end', (cells) => ({ ...cells, allowanceUntil: '2099-01-01T00:00:00.000Z' })],
    ['another round', (cells) => ({ ...cells, round: 7 })],
    ['no seal', ({ seal: _none, ...cells }) => cells],
  ])('that a writer of the tables has given %s allows nothing, not even to the next switch', async (_what, change) => {
    const exports = await Exports.afterSwitch();
    const rowKey = exportRowKey(KEYRING);
    const { cells } = exports.rig.store.peek('companies', COMPANY, rowKey)!;
    exports.rig.store.tamper('companies', COMPANY, rowKey, change(cells));
    expect(codeOf(await exports.export())).toBe('row-forged');
    expect(exports.rig.vaults.countOf('unwrap')).toBe(0);
    valueOf(await startSwitch(exports.rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN));
    await exports.rig.drain();
    const s2 = (await loadSwitch(exports.rig.store, place('s2')))!.value;
    expect(s2.blocked).toMatchObject({ failure: { code: 'row-forged', facts: { detail: rowKey } } });
  });

  it('of another keyring is none', async () => {
    const exports = await Exports.afterSwitch();
    const { cells } = exports.rig.store.peek('companies', COMPANY, exportRowKey(KEYRING))!;
    expect(await loadExportState(exports.rig.deps, { companyId: COMPANY, keyringId: 'other' })).toMatchObject({
      ok: true,
    });
    exports.rig.store.tamper('companies', COMPANY, exportRowKey('other'), cells);
    expect(await loadExportState(exports.rig.deps, { companyId: COMPANY, keyringId: 'other' })).toMatchObject({
      error: { code: 'row-forged' },
    });
  });
});

describe('an export and a switch', () => {
  it('exclude each other: none while a switch is unfinished', async () => {
    const exports = await Exports.afterSwitch();
    valueOf(await startSwitch(exports.rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN));
    expect(errorOf(await exports.export())).toEqual({ type: 'switch-in-progress', switchId: 's2' });
    expect(exports.rig.vaults.countOf('unwrap')).toBe(0);
    expect((await exports.state()).allowanceUntil).toBeDefined();
  });

  it('exclude each other also when the switch begins while the vault is asked', async () => {
    const exports = await Exports.afterSwitch();
    exports.rig.vaults.onCall = async ({ operation }) => {
      if (operation !== 'unwrap') return;
      exports.rig.vaults.onCall = undefined;
      valueOf(await startSwitch(exports.rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN));
    };
    expect(errorOf(await exports.export())).toEqual({ type: 'switch-in-progress', switchId: 's2' });
    expect(exports.events()).toEqual([]);
    expect((await exports.state()).allowanceUntil).toBeDefined();
  });

  it('that began and ended meanwhile: the key that is in force by then is exported', async () => {
    const exports = await Exports.afterSwitch();
    exports.rig.vaults.onCall = async ({ operation }) => {
      if (operation !== 'unwrap') return;
      exports.rig.vaults.onCall = undefined;
      valueOf(await startSwitch(exports.rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN));
      await exports.rig.drain();
    };
    const answer = valueOf(await exports.export());
    expect(answer.versions).toEqual([3]);
    expect(valueOf(parseExport(exports.sealer.contentOf(answer.jwe)))).toMatchObject({ provider: FABRIKAM });
  });
});

describe('an export whose answer from the store was lost', () => {
  type Answer = (commit: () => Promise<WriteOutcome>) => Promise<WriteOutcome>;

  /** The store; the first transaction of an export is answered so. */
  function answering(rig: Rig, answer: Answer): Tables {
    let isFirst = true;
    return tablesBut(rig.store, {
      write: (table, partition, writes) => {
        const commit = (): Promise<WriteOutcome> => rig.store.write(table, partition, writes);
        if (!isFirst || !writes.some(({ rowKey }) => rowKey === exportRowKey(KEYRING))) return commit();
        isFirst = false;
        return answer(commit);
      },
    });
  }

  /** Only the company's own rows: an agenda that cannot be written refuses an act before it is tried. */
  const losing = (store: Tables, faulty: Tables): Tables =>
    tablesBut(faulty, {
      write: (table, ...rest) => (table === 'companies' ? faulty : store).write(table, ...rest),
    });

  it.each([
    [
      'was written after all',
      async (commit) => {
        await commit();
      },
    ],
    ['was not written', () => Promise.resolve()],
  ] satisfies [string, (commit: () => Promise<WriteOutcome>) => Promise<void>][])(
    'counts once and is answered: it %s',
    async (_, act) => {
      const exports = await Exports.afterSwitch();
      const tables = answering(exports.rig, async (commit) => {
        await act(commit);
        return { outcome: 'unknown' };
      });
      expect((await exports.export({ tables })).ok).toBe(true);
      expect(exports.events()).toHaveLength(1);
      expect(exports.rig.vaults.countOf('unwrap')).toBe(1);
      expect(await exports.state()).toEqual({ round: 0 });
    },
  );

  it('is exact however often answers are lost: one answer, one event', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const exports = await Exports.afterSwitch(1);
      const faults = { lostBefore: 0.15, lostAfter: 0.25, unavailable: 0 };
      const { store } = exports.rig;
      const answers = await Promise.all(
        [1, 2].map((host) => {
          const faulty = new FaultyTables(store, { seed: seed * 10 + host, faults });
          return exports.export({ tables: losing(store, faulty) });
        }),
      );
      expect([seed, answers.filter(({ ok }) => ok).length]).toEqual([seed, 1]);
      expect(await exports.state()).toEqual({ round: 0 });
    }
  });
});

describe('an export without an allowance', () => {
  it('takes the word of every tenant for this very export, and of the next for the next', async () => {
    const exports = await Exports.afterSwitch();
    await exports.register();
    expect((await exports.export()).ok).toBe(true);
    const refused = await exports.export();
    expect(codeOf(refused)).toBe('tenants-unverified');
    expect(errorOf(refused)).toMatchObject({ message: expect.stringContaining('1 of them is not') as string });
    await exports.verify(0);
    expect((await exports.export()).ok).toBe(true);
    expect(await exports.state()).toEqual({ round: 1 });
    expect(exports.events().map(({ detail }) => detail)).toMatchObject([
      { by: 'allowance', round: 0 },
      { by: 'verification', round: 0 },
    ]);
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    await exports.verify(1);
    exports.rig.clock.advance(24 * HOUR_MS + 1);
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
  });

  it('goes to the approved recipient alone; every other is refused, recorded, and uses nothing up', async () => {
    const [mine, theirs] = ['ec-p256-1', 'ec-p256-2'].map((name) => publicKeyOf(name as KeyFixtureName));
    const exports = await Exports.afterSwitch();
    await exports.register();
    valueOf(await exports.export());
    await exports.verify(0, { to: mine! });
    exports.rig.vaults.calls.length = 0;
    for (const to of [theirs!, recipient]) expect(codeOf(await exports.export({ to }))).toBe('recipient-not-approved');
    expect(exports.rig.vaults.countOf('unwrap')).toBe(0);
    expect(await exports.state()).toEqual({ round: 0 });
    expect(exports.refusals()).toEqual([
      { recipient: 'public-key', algorithm: 'ECDH-ES', thumbprint: theirs!.thumbprint, code: 'recipient-not-approved' },
      { recipient: 'passphrase', algorithm: 'PBES2-HS512+A256KW', code: 'recipient-not-approved' },
    ]);
    expect((await exports.export({ to: mine! })).ok).toBe(true);
    expect(await exports.state()).toEqual({ round: 1 });
  });

  it('by passphrase is none to a key', async () => {
    const exports = await Exports.afterSwitch();
    await exports.register();
    valueOf(await exports.export());
    await exports.verify(0);
    expect(codeOf(await exports.export({ to: publicKeyOf('rsa-2048-1') }))).toBe('recipient-not-approved');
    expect((await exports.export()).ok).toBe(true);
  });

  it('is none if the word for another recipient is put in the place of the one that was asked for', async () => {
    const [mine, theirs] = ['ec-p256-1', 'ec-p256-2'].map((name) => publicKeyOf(name as KeyFixtureName));
    const exports = await Exports.afterSwitch();
    await exports.register();
    valueOf(await exports.export());
    await exports.verify(0, { to: mine! });
    const { store } = exports.rig;
    const said = [...store.dump()].find(({ rowKey }) => rowKey.startsWith('verification|export|'))!;
    const forged = said.rowKey.replace(mine!.thumbprint, theirs!.thumbprint);
    store.tamper('companies', COMPANY, forged, said.cells);
    expect(codeOf(await exports.export({ to: theirs! }))).toBe('recipient-not-approved');
    expect(exports.rig.log.entries).toContainEqual(
      expect.objectContaining({ event: 'security.row-forged', detail: { companyId: COMPANY, row: forged } }),
    );
  });

  it('that nobody has approved is recorded', async () => {
    const exports = await Exports.afterSwitch();
    await exports.register();
    valueOf(await exports.export());
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    expect(exports.refusals()).toMatchObject([{ recipient: 'passphrase', code: 'tenants-unverified' }]);
  });

  it('is refused if a tenant is registered while the vault is asked', async () => {
    const exports = await Exports.afterSwitch();
    await exports.register();
    valueOf(await exports.export());
    await exports.verify(0);
    exports.rig.vaults.onCall = async ({ operation }) => {
      if (operation !== 'unwrap') return;
      exports.rig.vaults.onCall = undefined;
      const late = { kind: 'google-workspace', tenantId: 'late.example' } as const;
      valueOf(await putTenant(exports.rig.deps, { companyId: COMPANY, ...late, condition: {} }, actorNamed('vendor')));
    };
    expect(codeOf(await exports.export())).toBe('tenants-unverified');
    expect(await exports.state()).toEqual({ round: 0 });
  });

  it('on verifications is one, however many ask at once', async () => {
    const exports = await Exports.afterSwitch();
    await exports.register();
    valueOf(await exports.export());
    await exports.verify(0);
    const answers = await Promise.all([1, 2, 3].map(() => exports.export()));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await exports.state()).toEqual({ round: 1 });
  });
});
