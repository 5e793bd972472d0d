// A key in an Azure Key Vault: the public key is read and wraps here, the vault alone unwraps, and its own challenge says whose it is.
import { WRAP_ALGORITHM, wrapCompanyKey } from '../../domain/company-key.ts';
import { failure, withFacts } from './words/failures.ts';
import { excuseRecentGrant } from './recent-grant.ts';
import type { Failure } from '../../domain/failure.ts';
import { isGuid } from '../../domain/ids.ts';
import { present } from '../../domain/plain-object.ts';
import type { Clock } from '../../domain/ports.ts';
import { parseKeyId, type KeyDates, type KeyPlace, type VaultKey } from '../../domain/provider.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { KeyProvider, OwnedKey, ReadKey, Wrapped } from '../provider.ts';
import { parseConnectionInput, parseCustomerVault, type ConnectionPolicy } from './input/connection-input.ts';
import { isClaimedByTest, isHostedByVendor } from '../../identity/entra/credential-kinds.ts';
import { hostedInstructions } from './hosted-instructions.ts';
import { adminInstructions } from './instructions.ts';
import { HOSTED_NOTICE, hostedFacts } from './words/hosted-vault.ts';
import { expiryWarning } from '../../identity/entra/client-secret.ts';
import { assignRole } from './words/vault-commands.ts';
import { judgeKey, type KeyPolicy } from './key-fitness.ts';
import { ofConnection, ofKeyInUse } from './key-in-use.ts';
import { whetherDeleted } from './whether-deleted.ts';
import type { ConnectionProbe, KeyVaults } from './vaults.ts';

export interface AzureKeyVaultWorld {
  readonly vaults: KeyVaults;
  readonly probe: ConnectionProbe;
  readonly clock: Clock;
  readonly connectionPolicy: ConnectionPolicy;
  readonly keyPolicy: Pick<KeyPolicy, 'minRsaBits' | 'purgeable' | 'rotationDays'>;
}

export function azureKeyVault({ vaults, probe, clock, connectionPolicy, keyPolicy }: AzureKeyVaultWorld): KeyProvider {
  return {
    name: AZURE_KEY_VAULT,
    isVendors: false,
    parse: (input) => {
      const wanted = parseConnectionInput(input, connectionPolicy);
      return wanted.ok ? ok({ provider: AZURE_KEY_VAULT, ...wanted.value }) : wanted;
    },
    admits: ({ host, credential }) => {
      const admitted = parseCustomerVault(`https://${host}`, connectionPolicy);
      return admitted.ok ? probe.admits(credential) : admitted;
    },
    describe: ({ host, keyName }) => ({ vaultHost: host, keyName }),
    isVersion: (key, keyId) => isVersion(key, keyId),
    explain: (found, { connection, keyId, facts }) =>
      connection ? ofConnection(found, connection, facts) : ofKeyInUse(withFacts(found, facts ?? {}), keyId),
    excuse: excuseRecentGrant,
    substituted: ({ host, keyName }, detail) =>
      failure('key-substituted', { vaultHost: host, keyName, ...present({ detail }) }),
    notFollowed: ({ host, keyName }, why) =>
      failure('key-version-not-followed', {
        vaultHost: host,
        keyName,
        keySeen: true,
        inUse: true,
        ...present({ detail: why }),
      }),
    otherOwner,
    instructions: ({ host, keyName, tenantId, credential }, federation) => {
      const place = { host, keyName, appId: credential.clientId, ...present({ tenantId, federation }) };
      if (isHostedByVendor(credential)) return hostedInstructions(place);
      return adminInstructions({ ...place, isOwnApp: isClaimedByTest(credential) });
    },
    shows: ({ credential }) => probe.federationShown(credential),
    notice: ({ credential }) => (credential && isHostedByVendor(credential) ? HOSTED_NOTICE : undefined),
    grant: ({ host, keyName, tenantId }, app) => assignRole({ vaultHost: host, keyName, tenantId, ...app }),
    probe: {
      reach: ({ host }) => probe.reach(host),
      owner: (key) => owner(probe, key, connectionPolicy),
      enter: (target) => probe.obtainToken(target),
    },
    read: async (target, { purpose, keyId, minRsaBits = 0, once, signal }) => {
      const key = await vaults.readKey(target, keyId === undefined ? undefined : parseKeyId(keyId)?.version, signal);
      if (!key.ok) return once ? key : err(await whetherDeleted(vaults, target, { found: key.error, signal }));
      const ownVault = target.ref.connectionId === undefined;
      const now = clock.now();
      const policy = {
        ...keyPolicy,
        minRsaBits: Math.max(keyPolicy.minRsaBits, minRsaBits),
        now,
        ownVault,
        ...hostedFacts(target.credential),
      };
      const [unfit] = judgeKey(key.value, { ...policy, purpose: 'test' }).denials;
      const { denials, warnings } = judgeKey(key.value, { ...policy, purpose });
      const expiring = target.credential && expiryWarning(target.credential, now);
      return ok({
        ...key.value,
        denials,
        warnings: expiring ? [...warnings, expiring] : warnings,
        dates: datesOf(key.value),
        isHsm: key.value.keyType.endsWith('-HSM'),
        ...present({ unfit }),
      });
    },
    wrap: (_, key, companyKey) => Promise.resolve(wrap(key, companyKey)),
    unwrap: async (target, wrapped, { signal } = {}) => {
      const { host, keyName } = target;
      if (wrapped.algorithm !== WRAP_ALGORITHM)
        return err(failure('key-substituted', { vaultHost: host, keyName, detail: wrapped.algorithm }));
      const plain = await vaults.unwrap(target, wrapped, signal);
      return plain.ok ? plain : err(await whetherDeleted(vaults, target, { found: plain.error, signal }));
    },
  };
}

export const AZURE_KEY_VAULT = 'azure-key-vault';

const datesOf = ({ created, notBefore, expires }: VaultKey): KeyDates =>
  present({
    createdAt: created?.toISOString(),
    notBefore: notBefore?.toISOString(),
    expiresAt: expires?.toISOString(),
  });

/** Key Vault's names know no case. */
function isVersion({ host, keyName }: KeyPlace, keyId: string): boolean {
  const id = parseKeyId(keyId);
  return id?.host === host && id.keyName.toLowerCase() === keyName.toLowerCase();
}

const otherOwner = (detail?: string): Failure => failure('wrong-entra-tenant', present({ detail }));

/** The vault's own challenge names it, and nothing that is typed. */
async function owner(
  probe: Pick<ConnectionProbe, 'challengedTenant'>,
  { host, keyName, tenantId, credential }: OwnedKey,
  { vendorTenantId }: Pick<ConnectionPolicy, 'vendorTenantId'>,
): Promise<Result<string, Failure>> {
  const challenged = await probe.challengedTenant(host);
  if (!challenged.ok) return challenged;
  const named = challenged.value.toLowerCase();
  if (!isGuid(named)) return err(failure('vault-error', { detail: 'its challenge names no tenant' }));
  // Neither consent nor a secret leads into the vendor's own tenant, whoever gives it: only what the vendor itself has entered.
  if (named === vendorTenantId && credential && !isHostedByVendor(credential))
    return err(failure('vault-of-vendor', { vaultHost: host, keyName }));
  if (tenantId === undefined || tenantId === named) return ok(named);
  return err(otherOwner(`the vault names the tenant ${named}`));
}

/** invariants 8 and A15: with the public key, here; no vault is asked to wrap. Refused if node:crypto takes its numbers for no RSA key. */
function wrap(key: ReadKey & Partial<Pick<VaultKey, 'n' | 'e'>>, companyKey: Uint8Array): Result<Wrapped, Failure> {
  const { keyId, n = '', e = '' } = key;
  try {
    return ok({
      keyId,
      algorithm: WRAP_ALGORITHM,
      ciphertext: wrapCompanyKey({ n, e, companyKey }).toString('base64url'),
    });
  } catch {
    return err(failure('vault-error', { detail: 'its public key cannot be used' }));
  }
}
