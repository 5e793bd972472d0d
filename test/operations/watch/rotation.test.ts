// A customer rotates their key, or does something else to its versions: what a check follows, what it warns of, and how many calls that takes.
import { beforeEach, describe, expect, it } from 'vitest';
import type { VaultKey } from '../../../shared/domain/provider.ts';
import { LAST_CALLS_MS } from '../../../shared/domain/key-versions.ts';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { companyKeyRowKey } from '../../../shared/store/rows/row-keys.ts';
import { listKeyVersions, type VersionView } from '../../../shared/operations/watch/key-versions.ts';
import { putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { unwrapDataKeys } from '../../../shared/operations/data-keys/unwrap.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { keyVersionOf, type FakeKeyVersion } from '../../fakes/fake-vaults.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import type { KeyFixtureName } from '../../fixtures/key-fixtures.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, MANAGED, place, Rig } from '../switches/rig.ts';
import { checkRound } from './round.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const SLOT_MS = 300_000;
const FIXTURES: readonly KeyFixtureName[] = ['rsa-2048-3', 'rsa-2048-4', 'rsa-3072-1'];
const idOf = (version: number): string => `https://${CONTOSO_HOST}/keys/customer-key/${keyVersionOf(version)}`;

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(3);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  rig.vaults.calls.length = 0;
});

let rotations = 0;
const rotate = (change: Partial<VaultKey> = {}): FakeKeyVersion => {
  rotations += 1;
  const fixture = FIXTURES[rotations % FIXTURES.length]!;
  return rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture, change });
};
const disable = (version: FakeKeyVersion): unknown => Object.assign(version.describes, { enabled: false });

async function check(tables: Tables = rig.store): Promise<VaultHealth> {
  rig.clock.advance(SLOT_MS);
  const checked = await checkConnection(rig.freshHost(tables), CONNECTION);
  if (!checked.ok) throw new Error(checked.error.type);
  return checked.value;
}

async function versions(): Promise<readonly VersionView[]> {
  const listed = await listKeyVersions(rig.freshHost(), CONNECTION);
  if (!listed.ok) throw new Error(listed.error.type);
  return listed.value;
}
const states = async (): Promise<unknown> => (await versions()).map(({ keyId, state }) => [keyId.slice(-1), state]);

const callsOf = (host = CONTOSO_HOST): number => rig.vaults.calls.filter((call) => call.host === host).length;
const followed = (): unknown[] => chainOf(rig.store).filter(({ action }) => action === 'key-version.followed');

describe('a new version of a key in force', () => {
  it('is followed by the next check, under its own dates, and the older one is needed no more', async () => {
    await check();
    const createdAt = rig.clock.now();
    rotate({ created: createdAt });
    rig.vaults.calls.length = 0;
    const keyVersions = [{ keyId: idOf(2), createdAt: createdAt.toISOString() }];
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [], keyVersions });
    // The newest, the version in use and its round trip; then the older wrap opens once more, and the newer one is proved.
    expect(callsOf()).toBe(5);
    expect(await states()).toEqual([
      ['2', 'in-use'],
      ['1', 'leaving'],
    ]);
    rig.clock.advance(LAST_CALLS_MS);
    const [inUse, left] = await versions();
    expect(inUse).toEqual({ keyId: idOf(2), state: 'in-use', keyrings: [KEYRING] });
    expect(left).toMatchObject({ keyId: idOf(1), state: 'not-needed', keyrings: [] });
    expect(Date.parse(left?.copiesUntil ?? '') - Date.parse(left?.leftAt ?? '')).toBe(rig.freshHost().keepMs);
    expect(await rig.openByCaller()).toBe(3);
  });

  it('is recorded by Keyswitch, with both versions', async () => {
    rotate();
    await check();
    const detail = JSON.stringify({ before: idOf(1), keyId: idOf(2), provider: 'azure-key-vault:contoso' });
    expect(followed()).toMatchObject([{ by: 'keyswitch', target: companyKeyRowKey(KEYRING, 2), detail }]);
  });

  it('costs nothing afterwards: two calls a check, and no write', async () => {
    rotate();
    await check();
    rig.vaults.calls.length = 0;
    const tables = new FaultyTables(rig.store);
    for (let checks = 0; checks < 4; checks += 1) await check(tables);
    expect(callsOf()).toBe(8);
    expect(tables.writes).toEqual([]);
  });

  it('is followed within ten minutes by the timer', async () => {
    await checkRound(rig.freshHost());
    rotate();
    rig.clock.advance(600_000);
    await checkRound(rig.freshHost());
    expect(await states()).toContainEqual(['2', 'in-use']);
  });

  it('touches no data key', async () => {
    rotate();
    const dataKeys = (): string => JSON.stringify([...rig.store.dump()].filter(({ table }) => table === 'datakeys'));
    const before = dataKeys();
    await check();
    expect(dataKeys()).toBe(before);
  });

  it('is followed by both keys of a keyring in the middle of a re-key, which ends well', async () => {
    await startRekey(rig.deps, place('r1'), ADMIN);
    const isRunning = async (): Promise<boolean> =>
      (await loadSwitch(rig.store, place('r1')))?.value.state === 're-protecting';
    await rig.drain({ enough: isRunning });
    rotate();
    await check();
    await rig.drain();
    expect(await states()).toEqual([
      ['2', 'in-use'],
      ['1', 'leaving'],
    ]);
    expect(await rig.openByCaller()).toBe(3);
  });

  it('is followed once by two instances at once, and by none back to a version between', async () => {
    rotate();
    await Promise.all([check(), check()]);
    const known = rotate();
    // This instance has read version 2 as the newest, and then sleeps while others follow version 3.
    let slept = false;
    const tables = tablesBut(rig.store, {
      list: async (query) => {
        if (!slept && query.after?.startsWith('companykey|') === true) {
          slept = true;
          await check();
        }
        return rig.store.list(query);
      },
    });
    await check(tables);
    expect((await versions())[0]?.keyId).toBe(known.describes.keyId);
    expect(await rig.openByCaller()).toBe(3);
  });

  it('is not left for an older one that a vault which is behind answers with', async () => {
    rig.vaults.newestKey(CONTOSO_HOST).describes = {
      ...rig.vaults.newestKey(CONTOSO_HOST).describes,
      created: new Date(2e12),
    };
    rotate({ created: new Date(1e12) });
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    expect(await states()).toEqual([['1', 'in-use']]);
  });
});

describe('a new version of a key of several keyrings', () => {
  const OTHERS = ['second', 'third'];
  beforeEach(async () => {
    for (const keyringId of OTHERS) await putKeyring(rig.freshHost(), { companyId: COMPANY, keyringId }, ADMIN);
    rig.vaults.calls.length = 0;
  });
  const used = async (): Promise<unknown> =>
    (await versions()).map(({ keyId, keyrings }) => [keyId.slice(-1), ...keyrings]);
  const nthUnwrap = (nth: number, then: () => void): void => {
    let unwraps = 0;
    rig.vaults.onCall = ({ operation }) => {
      if (operation === 'unwrap' && ++unwraps === nth) then();
    };
  };

  it('is followed by all in one check', async () => {
    rotate();
    expect(await check()).toMatchObject({ state: 'healthy', keyVersions: [{ keyId: idOf(2) }] });
    expect(await used()).toEqual([['2', KEYRING, ...OTHERS], ['1']]);
  });

  it('is followed by all but the one that cannot, which is named', async () => {
    const rowKey = companyKeyRowKey('second', 1);
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    const wraps = JSON.parse(String(cells['wraps'])) as { ciphertext: string }[];
    const forged = wraps.map((wrap) => ({ ...wrap, ciphertext: 'AAAA' }));
    rig.store.tamper('companies', COMPANY, rowKey, { ...cells, wraps: JSON.stringify(forged) });
    rotate();
    expect(await check()).toMatchObject({
      state: 'warning',
      warnings: ['key-version-not-followed'],
      cause: expect.stringContaining('keyring second: ') as unknown,
      keyVersions: [{ keyId: idOf(2) }, { keyId: idOf(1) }],
    });
    expect(await used()).toEqual([
      ['2', KEYRING, 'third'],
      ['1', 'second'],
    ]);
  });

  it('is followed later by one whose vault was busy just then, and by the others at once', async () => {
    rotate();
    // Of the look, two of the first keyring, and the first of the second.
    nthUnwrap(4, () => rig.vaults.fail({ operation: 'unwrap', failure: 'throttled', times: 1 }));
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    expect(await used()).toEqual([
      ['2', KEYRING, 'third'],
      ['1', 'second'],
    ]);
    expect(await check()).toMatchObject({ state: 'healthy', keyVersions: [{ keyId: idOf(2) }] });
    expect(await used()).toEqual([['2', KEYRING, ...OTHERS], ['1']]);
  });

  it('is followed at the next check by those for which a slow vault left no time', async () => {
    rotate();
    nthUnwrap(3, () => rig.clock.advance(30_000));
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    expect(await used()).toEqual([
      ['2', KEYRING],
      ['1', ...OTHERS],
    ]);
    await check();
    expect(await used()).toEqual([['2', KEYRING, ...OTHERS], ['1']]);
  });
});

describe('a newer version that cannot take the place of the one in use', () => {
  it.each<[string, Partial<VaultKey>, Partial<VaultKey>]>([
    ['is disabled', { enabled: false }, {}],
    ['is of another type', { keyType: 'EC', n: '', e: '', keyOps: ['sign'] }, {}],
    ['is too small', { sizeBits: 1024 }, {}],
    ['may not unwrap', { keyOps: ['wrapKey'] }, {}],
    ['has expired', { expires: new Date(0) }, {}],
    ['is not valid yet', { notBefore: new Date(4e12) }, {}],
    ['leaves the HSM', {}, { keyType: 'RSA-HSM' }],
  ])('because it %s is not followed, and warned of', async (_what, change, inUse) => {
    const before = rig.vaults.newestKey(CONTOSO_HOST);
    before.describes = { ...before.describes, ...inUse };
    rotate(change);
    const warnings = ['key-version-not-followed'];
    expect(await check()).toMatchObject({ state: 'warning', code: 'key-version-not-followed', warnings });
    expect(await check()).toMatchObject({ state: 'warning', warnings });
    expect(followed()).toEqual([]);
    expect(await rig.openByCaller()).toBe(3);
  });

  it('is read in every second check, in place of the version in use; a third one that can is followed within ten minutes', async () => {
    rotate({ enabled: false });
    await check();
    rig.vaults.calls.length = 0;
    const tables = new FaultyTables(rig.store);
    for (let checks = 0; checks < 6; checks += 1)
      expect(await check(tables)).toMatchObject({ state: 'warning', warnings: ['key-version-not-followed'] });
    expect(callsOf()).toBe(12);
    expect(tables.writes).toEqual([]);
    rotate();
    const seen = [await check(), await check()];
    expect(seen[1]).toMatchObject({ state: 'healthy', warnings: [] });
    expect(await states()).toContainEqual(['3', 'in-use']);
  });

  it('because it does not open what was wrapped under it is not followed, and the older wrap stays', async () => {
    const made = rotate();
    rig.vaults.onCall = ({ operation, version }) => {
      if (operation === 'unwrap' && version === made.version) disable(made);
    };
    expect(await check()).toMatchObject({ state: 'warning', warnings: ['key-version-not-followed'] });
    expect(await states()).toEqual([['1', 'in-use']]);
    expect(await rig.openByCaller()).toBe(3);
  });

  it('while its vault is away is followed later, and is no reason to warn', async () => {
    rotate();
    rig.vaults.onCall = ({ operation, version }) => {
      if (operation === 'unwrap' && version === keyVersionOf(2))
        rig.vaults.fail({ operation: 'unwrap', failure: 'throttled', times: 1 });
    };
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    rig.vaults.onCall = undefined;
    await check();
    expect(await states()).toContainEqual(['2', 'in-use']);
  });
});

describe('a version in use', () => {
  it('that was disabled too early is called just that, and its return mends all by itself', async () => {
    const older = rig.vaults.newestKey(CONTOSO_HOST);
    rotate();
    disable(older);
    const azureCli = `az keyvault key set-attributes --id ${idOf(1)} --enabled true`;
    expect(await check()).toMatchObject({
      state: 'revoked',
      code: 'key-version-disabled',
      owner: 'azure-admin',
      remedy: { azureCli },
    });
    Object.assign(older.describes, { enabled: true });
    expect(await check()).toMatchObject({ state: 'healthy' });
    expect(await states()).toContainEqual(['2', 'in-use']);
  });

  it('that has expired goes on opening, which is warned of, and a newer one is followed all the same', async () => {
    Object.assign(rig.vaults.newestKey(CONTOSO_HOST).describes, { expires: new Date(0) });
    expect(await check()).toMatchObject({ state: 'warning', code: 'key-expired', owner: 'azure-admin' });
    expect(await rig.openByCaller()).toBe(3);
    rotate();
    expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    expect(await states()).toContainEqual(['2', 'in-use']);
  });

  it('is needed as long as any keyring has it, whatever the connection says of who uses it', async () => {
    const rowKey = 'connection|contoso';
    const row = rig.store.peek('companies', COMPANY, rowKey)!;
    rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, usedBy: '[]' });
    expect(await states()).toEqual([['1', 'in-use']]);
  });

  it('is not told of while a list leaves out a company key', async () => {
    const tables = tablesBut(rig.store, {
      list: async (query) => (query.after?.startsWith('companykey|') === true ? { rows: [] } : rig.store.list(query)),
    });
    expect(await listKeyVersions(rig.freshHost(tables), CONNECTION)).toMatchObject({ error: { type: 'busy' } });
  });

  it('that was left by a switch back is needed no more, and by copies as long as they are kept', async () => {
    rotate();
    await check();
    await startSwitch(rig.deps, { ...place('back'), target: MANAGED }, ADMIN);
    await rig.drain();
    rig.clock.advance(LAST_CALLS_MS);
    const left = [
      ['1', 'not-needed'],
      ['2', 'not-needed'],
    ];
    expect(((await states()) as unknown[]).toSorted()).toEqual(left);
  });
});

describe('an owner who rotates five times while callers unwrap', () => {
  it('and disables each older version once it is no longer needed meets no error, and the same few calls each time', async () => {
    const hosts = [rig.freshHost(), rig.freshHost()];
    let opened = 0;
    const unwrapAll = async (): Promise<void> => {
      for (const host of hosts) {
        rig.clock.advance(host.keyTtlMs + 1);
        const keyIds = [...rig.plaintexts.keys()];
        const answered = await unwrapDataKeys(host, { companyId: COMPANY, keyringId: KEYRING, keyIds });
        if (!answered.ok) throw new Error(answered.error.type);
        for (const outcome of answered.value)
          if (outcome.outcome === 'unwrapped') opened += 1;
          else throw new Error(JSON.stringify(outcome));
      }
    };
    const calls: number[] = [];
    for (let rotation = 0; rotation < 5; rotation += 1) {
      const older = rig.vaults.newestKey(CONTOSO_HOST);
      await unwrapAll();
      rotate();
      await unwrapAll();
      rig.vaults.calls.length = 0;
      rig.vaults.onCall = undefined;
      const [health] = await Promise.all([check(), unwrapAll()]);
      calls.push(callsOf());
      expect(health.state).toBe('healthy');
      const isNeeded = async (): Promise<boolean> =>
        (await versions()).some(({ keyId, state }) => keyId === older.describes.keyId && state !== 'not-needed');
      while (await isNeeded()) {
        await unwrapAll();
        rig.clock.advance(30_000);
      }
      disable(older);
      await unwrapAll();
      expect(await check()).toMatchObject({ state: 'healthy', warnings: [] });
    }
    expect(opened).toBeGreaterThan(100);
    // A check, what is followed, and one unwrap of each host whose key was no longer kept.
    expect(calls).toEqual([7, 7, 7, 7, 7]);
    expect(followed()).toHaveLength(5);
  });
});
