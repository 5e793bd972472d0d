// What becomes of a key or a vault that is deleted, recovered or purged, as checks and callers are told. A check never takes more than two calls.
import { beforeEach, describe, expect, it } from 'vitest';
import type { VaultHealth } from '../../../shared/domain/health.ts';
import { failure } from '../../../shared/failures.ts';
import { unwrapDataKeys } from '../../../shared/operations/data-keys/unwrap.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { followVendorKey } from '../../../shared/operations/watch/vendor-key.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { CONNECTOR_APP_ID } from '../../fakes/fake-vault-answers.ts';
import { RETAINED_UNTIL } from '../../fakes/fake-vaults.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig, VENDOR } from '../switches/rig.ts';

const CONNECTION = { companyId: COMPANY, connectionId: 'contoso' };
const KEY = 'customer-key';
const MINUTE_MS = 60_000;

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(2);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  expect(await check()).toMatchObject({ state: 'healthy' });
});

async function check(afterMs = MINUTE_MS): Promise<VaultHealth> {
  rig.clock.advance(afterMs);
  rig.vaults.calls.length = 0;
  const checked = await checkConnection(rig.freshHost(), CONNECTION);
  if (!checked.ok) throw new Error(checked.error.type);
  return checked.value;
}
const calls = (): string[] =>
  rig.vaults.calls.filter(({ host }) => host === CONTOSO_HOST).map(({ operation }) => operation);
const codes = async (...afterMs: number[]): Promise<unknown[]> => {
  const seen: unknown[] = [];
  for (const ms of afterMs) seen.push((await check(ms)).code);
  return seen;
};

/** What a process that has just started tells its callers. */
async function told(): Promise<string> {
  const keyIds = [...rig.plaintexts.keys()];
  const answered = await unwrapDataKeys(rig.freshHost(), { companyId: COMPANY, keyringId: KEYRING, keyIds });
  if (!answered.ok) return answered.error.type === 'failure' ? answered.error.failure.code : answered.error.type;
  const [first] = answered.value;
  return first?.outcome === 'failure' ? first.failure.code : (first?.outcome ?? '');
}

describe('a key that was deleted', () => {
  beforeEach(() => rig.vaults.removeKey(CONTOSO_HOST, KEY));

  it('is called so, with the date until which it can be recovered and the command, in two calls', async () => {
    expect(await check()).toMatchObject({
      state: 'revoked',
      code: 'key-deleted',
      owner: 'azure-admin',
      message: `The key was deleted, and can be recovered until ${RETAINED_UNTIL.toISOString()}.`,
      remedy: { azureCli: 'az keyvault key recover --vault-name contoso --name customer-key' },
    });
    expect(calls()).toEqual(['readKey', 'readDeleted']);
    expect(await told()).toBe('key-deleted');
  });

  it('opens everything again once it is recovered', async () => {
    await check();
    rig.vaults.recoverKey(CONTOSO_HOST, KEY);
    expect(await check()).toMatchObject({ state: 'healthy' });
    expect([await told(), await rig.openByCaller()]).toEqual(['unwrapped', 2]);
  });

  it('is purged where its retention ends', async () => {
    await check();
    rig.vaults.purgeKey(CONTOSO_HOST, KEY);
    expect(await codes(MINUTE_MS, MINUTE_MS, MINUTE_MS)).toEqual(['key-not-found', 'key-purged', 'key-purged']);
  });

  it.each(['access-denied-rbac', 'vault-unreachable', 'throttled', 'vault-error'] as const)(
    'is not found where it cannot be asked what became of it (%s), and is never called purged',
    async (code) => {
      rig.vaults.fail({ operation: 'readDeleted', failure: code });
      expect(await check()).toMatchObject({
        state: 'revoked',
        code: 'key-not-found',
        message: 'Key not found in the vault: it was deleted.',
        cause: expect.stringContaining('did not tell us') as unknown,
        remedy: { azureCli: expect.stringContaining('key recover') as unknown },
      });
      expect(await codes(MINUTE_MS, MINUTE_MS)).toEqual(['key-not-found', 'key-not-found']);
      expect(await told()).toBe('key-not-found');
    },
  );
});

describe('a key that was purged', () => {
  it('is called so once two checks have found it nowhere, further apart than Azure takes to delete a key', async () => {
    rig.vaults.purgeKey(CONTOSO_HOST, KEY);
    expect(await check()).toMatchObject({
      state: 'revoked',
      code: 'key-not-found',
      message: 'Key not found in the vault, nor among its deleted keys.',
    });
    expect(await codes(1_000, 5_000)).toEqual(['key-not-found', 'key-not-found']);
    expect(await check()).toMatchObject({ state: 'revoked', code: 'key-purged', owner: 'azure-admin' });
    expect(calls()).toEqual(['readKey', 'readDeleted']);
    expect(await codes(1_000)).toEqual(['key-purged']);
    expect(await told()).toBe('key-not-found');
  });

  it('is not one that Azure is deleting or recovering just now, which is in neither place for some seconds', async () => {
    rig.vaults.removeKey(CONTOSO_HOST, KEY);
    rig.vaults.setBusy(CONTOSO_HOST, true);
    expect(await codes(MINUTE_MS, 5_000)).toEqual(['key-not-found', 'key-not-found']);
    rig.vaults.setBusy(CONTOSO_HOST, false);
    expect(await codes(MINUTE_MS)).toEqual(['key-deleted']);
    rig.vaults.recoverKey(CONTOSO_HOST, KEY);
    rig.vaults.setBusy(CONTOSO_HOST, true);
    expect(await codes(MINUTE_MS)).toEqual(['key-not-found']);
    rig.vaults.setBusy(CONTOSO_HOST, false);
    expect(await check(5_000)).toMatchObject({ state: 'healthy' });
  });

  it('whose name another has is called so, and a backup that is restored mends all', async () => {
    const { describes, ...rest } = rig.vaults.newestKey(CONTOSO_HOST);
    rig.vaults.purgeKey(CONTOSO_HOST, KEY);
    const made = rig.vaults.addKey({ host: CONTOSO_HOST, keyName: KEY, fixture: 'rsa-2048-4' });
    const keyId = describes.keyId.replace(/.$/, '9');
    Object.assign(made, { version: keyId.slice(-32), describes: { ...made.describes, keyId } });
    expect(await codes(MINUTE_MS, MINUTE_MS)).toEqual(['key-not-found', 'key-purged']);
    expect(calls()).toEqual(['readKey', 'readKey']);
    expect(await check()).toMatchObject({ message: expect.stringContaining('another key has its name') as unknown });
    rig.vaults.purgeKey(CONTOSO_HOST, KEY);
    const restored = rig.vaults.addKey({ host: CONTOSO_HOST, keyName: KEY });
    Object.assign(restored, { ...rest, describes });
    expect(await check()).toMatchObject({ state: 'healthy' });
    expect(await rig.openByCaller()).toBe(2);
  });

  it('is not one whose version in use one server of the vault finds and another does not: no other key is said to have its name', async () => {
    rig.vaults.fail({ host: CONTOSO_HOST, operation: 'unwrap', failure: 'key-not-found' });
    for (const afterMs of [MINUTE_MS, MINUTE_MS]) {
      const { code, remedy } = await check(afterMs);
      expect(code).toBe('key-not-found');
      expect(remedy?.text).not.toContain('purging');
    }
    rig.vaults.heal();
    expect(await check()).toMatchObject({ state: 'healthy' });
  });

  it('is looked for in two calls also where a newer version was not followed, in whatever order the versions are read', async () => {
    rig.vaults.addKey({ host: CONTOSO_HOST, keyName: KEY, fixture: 'rsa-2048-4', change: { enabled: false } });
    for (const before of [300_000, 600_000]) {
      expect(await check(before)).toMatchObject({ state: 'warning', code: 'key-version-not-followed' });
      rig.vaults.removeKey(CONTOSO_HOST, KEY);
      expect(await check(300_000)).toMatchObject({ state: 'revoked', code: 'key-deleted' });
      expect(calls()).toEqual(['readKey', 'readDeleted']);
      rig.vaults.recoverKey(CONTOSO_HOST, KEY);
      expect(await check(300_000)).toMatchObject({ state: 'warning' });
    }
  });
});

describe('a vault that was deleted', () => {
  const gone = failure('vault-not-found', {
    vaultHost: CONTOSO_HOST,
    keyName: KEY,
    appId: CONNECTOR_APP_ID,
    nameGone: true,
  });
  const deleted = async (): Promise<void> => {
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: gone });
    expect(await codes(MINUTE_MS, MINUTE_MS, MINUTE_MS)).toEqual(['vault-deleted', 'vault-deleted', 'vault-deleted']);
  };
  const comesBackWithoutRole = (): void => {
    rig.vaults.heal();
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
  };

  it('is called so, with the commands that bring it and its role back', async () => {
    await deleted();
    const { state, owner, remedy } = await check();
    expect([state, owner]).toEqual(['revoked', 'azure-admin']);
    expect((remedy as { azureCli?: string }).azureCli?.split('\n')).toEqual([
      '# can it be recovered, and until when?',
      'az keyvault show-deleted --name contoso --query "properties.scheduledPurgeDate" --output tsv',
      '# if so',
      'az keyvault recover --name contoso',
      '# and the role, which does not come back with it',
      expect.stringMatching(/^az role assignment create /) as unknown,
    ]);
  });

  it('and recovered is told from one whose role was taken away, until the role is given again', async () => {
    await deleted();
    comesBackWithoutRole();
    expect(await check()).toMatchObject({
      state: 'revoked',
      code: 'vault-recovered',
      owner: 'azure-admin',
      remedy: { azureCli: expect.stringMatching(/^az role assignment create /) as unknown },
    });
    expect(await codes(MINUTE_MS)).toEqual(['vault-recovered']);
    rig.vaults.heal();
    expect(await check()).toMatchObject({ state: 'healthy' });
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    expect(await codes(MINUTE_MS)).toEqual(['access-denied-rbac']);
  });

  it('and recovered is known though it could not be reached in between', async () => {
    await deleted();
    rig.vaults.heal();
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: 'vault-unreachable' });
    expect(await codes(MINUTE_MS)).toEqual(['vault-unreachable']);
    comesBackWithoutRole();
    expect(await codes(MINUTE_MS)).toEqual(['vault-recovered']);
  });

  it('is not what a deny assignment is taken for that came with it', async () => {
    await deleted();
    rig.vaults.heal();
    const facts = { vaultHost: CONTOSO_HOST, denyAssignmentId: '1' };
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: failure('access-denied-rbac', facts) });
    expect(await codes(MINUTE_MS)).toEqual(['access-denied-rbac']);
  });
});

describe('the vendor’s own key', () => {
  beforeEach(async () => {
    rig = await Rig.withDataKeys(2);
  });

  it('that was deleted is called so to callers and in the log, as the vendor’s to recover', async () => {
    rig.vaults.removeKey(VENDOR.host, VENDOR.keyName);
    expect(await told()).toBe('key-deleted');
    await followVendorKey(rig.freshHost());
    expect(rig.log.entries).toContainEqual(
      expect.objectContaining({ event: 'vendor-key.not-read', detail: { code: 'key-deleted' } }),
    );
    rig.vaults.recoverKey(VENDOR.host, VENDOR.keyName);
    expect(await told()).toBe('unwrapped');
  });
});
