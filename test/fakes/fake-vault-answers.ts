// What vaults in memory answer, given who asks for what: descriptions of keys, plaintexts, and the refusals of Azure with the same facts
// that its words carry. Knows no vault and logs no call.
import { constants, privateDecrypt, type KeyObject } from 'node:crypto';
import { failure } from '../../shared/failures.ts';
import { hostedFacts } from '../../shared/providers/azure-key-vault/words/hosted-vault.ts';
import type { Failure, FailureFacts } from '../../shared/domain/failure.ts';
import type { VaultKey, VaultTarget } from '../../shared/domain/provider.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';

export const CONNECTOR_APP_ID = '7e5d0000-0000-4000-8000-0000000000c1';
/** Client id of the app's own identity. */
export const IDENTITY_APP_ID = '7e5d0000-0000-4000-8000-0000000000d1';
export const PRINCIPAL_ID = '7e5d0000-0000-4000-8000-0000000000e1';
const SUBSCRIPTION_ID = '7e5d0000-0000-4000-8000-0000000000f1';

/** What is known of a target before anything is asked. */
export const factsOf = ({ host, keyName, tenantId, ref, credential, onlyInSwitch }: VaultTarget): FailureFacts => ({
  vaultHost: host,
  keyName,
  tenantId,
  ...(onlyInSwitch === true ? { onlyInSwitch } : {}),
  ...(ref.provider === 'managed'
    ? { ownVault: 'company-keys' as const }
    : { appId: credential?.clientId ?? CONNECTOR_APP_ID, ...hostedFacts(credential) }),
});

/** The only suffix under which there are vaults. To another host nothing is sent. */
export const mayBeAsked = (host: string): boolean => /^[a-z0-9-]{3,24}\.vault\.azure\.net$/.test(host);

export const hostNotAllowed = (host: string): Failure => failure('vault-host-not-allowed', { vaultHost: host });

export const wrongTenant = (target: VaultTarget, found: string): Failure =>
  failure('wrong-entra-tenant', { ...factsOf(target), detail: `the vault names the tenant ${found}` });

export function noRole(target: VaultTarget, action: string): Failure {
  const vaultName = target.host.split('.')[0] ?? '';
  const facts = {
    ...factsOf(target),
    principalId: PRINCIPAL_ID,
    resourceId:
      `/subscriptions/${SUBSCRIPTION_ID}/resourcegroups/keys/providers/microsoft.keyvault/vaults/${vaultName}` +
      `/keys/${target.keyName}`,
    detail: `Microsoft.KeyVault/vaults/keys/${action}`,
  };
  return failure('access-denied-rbac', facts, { status: 403, code: 'ForbiddenByRbac' });
}

export const noSuchKey = (target: VaultTarget): Failure =>
  failure('key-not-found', factsOf(target), { status: 404, code: 'KeyNotFound' });

/** Why this version does not unwrap, if it does not. Dates are no reason: the service still unwraps with an expired key. */
export function notToUnwrap({ enabled, keyOps }: VaultKey, facts: FailureFacts): Failure | undefined {
  if (!enabled) return failure('key-disabled', facts, { status: 403, code: 'KeyDisabled' });
  if (keyOps.includes('unwrapKey')) return undefined;
  return failure('key-operation-not-permitted', facts, { status: 403, code: 'KeyOperationForbidden' });
}

export function describe(keyId: string, publicKey: KeyObject): VaultKey {
  const { kty = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return {
    keyId,
    keyType: kty,
    n,
    e,
    sizeBits: publicKey.asymmetricKeyDetails?.modulusLength ?? 0,
    keyOps: kty === 'RSA' ? ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'] : ['sign', 'verify'],
    enabled: true,
    created: new Date(0),
    recoveryLevel: 'Recoverable',
  };
}

export function decrypt(key: KeyObject, ciphertext: string, facts: FailureFacts): Result<Uint8Array, Failure> {
  const opened = openOnce(key, ciphertext);
  if (opened) return ok(opened);
  const service = { status: 400, code: 'BadParameter' };
  return err(failure('key-substituted', { ...facts, detail: 'it does not open what it wrapped' }, service));
}

const MAX_OPENED = 256;
const openedBefore = new WeakMap<KeyObject, Map<string, Buffer>>();

/** RSA is by far the slowest thing here, and the same wrap always holds the same. Answers a copy: callers overwrite it. */
export function openOnce(key: KeyObject, ciphertext: string): Buffer | undefined {
  const opened = openedBefore.get(key) ?? new Map<string, Buffer>();
  openedBefore.set(key, opened);
  const known = opened.get(ciphertext);
  if (known) return Buffer.from(known);
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const payload = privateDecrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from(ciphertext, 'base64url'));
    if (opened.size >= MAX_OPENED) opened.clear();
    opened.set(ciphertext, payload);
    return Buffer.from(payload);
  } catch {
    return undefined;
  }
}
