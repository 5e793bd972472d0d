import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURE_CODES } from '../../../shared/failures.ts';
import { classifyVaultAnswer } from '../../../shared/providers/azure-key-vault/answers.ts';
import { afterLook } from '../../../shared/domain/health.ts';

const APP = '22222222-0000-4000-8000-000000000002';
const OID = '33333333-0000-4000-8000-000000000003';
const TENANT = '11111111-0000-4000-8000-000000000001';
const OTHER_TENANT = '99999999-0000-4000-8000-000000000009';
const CALLER = `appid=${APP};oid=${OID};iss=https://sts.windows.net/${TENANT}/`;
const RESOURCE =
  '/subscriptions/44444444-0000-4000-8000-000000000004/resourcegroups/keys/providers/microsoft.keyvault/vaults/contoso/keys/main-key';
const FACTS = { vaultHost: 'contoso.vault.azure.net', keyName: 'main-key', tenantId: TENANT };

const RBAC =
  'Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions ' +
  `were changed recently, please observe propagation time.\r\nCaller: ${CALLER}\r\nAction: 'Microsoft.KeyVault/vaults/keys/read'\r\n` +
  `Resource: '${RESOURCE}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\n` +
  'Vault: contoso;location=canadacentral\r\n';
const POLICY =
  `The user, group or application '${CALLER}' does not have keys get permission on key vault 'contoso;location=westus'. ` +
  'For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287';
const FIREWALL =
  'Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n' +
  `Caller: ${CALLER}\r\nVault: contoso;location=westus`;
const PRIVATE =
  'Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\n' +
  `Caller: ${CALLER}\r\nVault: contoso;location=westus`;
const NOT_FOUND =
  'A key with (name/id) main-key was not found in this key vault. If you recently deleted this key you may be able to ' +
  'recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182';
const WRONG_ISSUER =
  `AKV10032: Invalid issuer. Expected one of https://sts.windows.net/${TENANT}/, https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/, ` +
  `found https://sts.windows.net/${OTHER_TENANT}/.`;

describe('what a vault answers', () => {
  it.each([
    [403, 'Forbidden', 'ForbiddenByRbac', RBAC, 'access-denied-rbac'],
    [403, 'Forbidden', 'AccessDenied', POLICY, 'access-denied-policy'],
    [403, 'Forbidden', 'ForbiddenByPolicy', POLICY, 'access-denied-policy'],
    [403, 'Forbidden', 'ForbiddenByFirewall', FIREWALL, 'vault-firewall'],
    [403, 'Forbidden', 'ForbiddenByConnection', PRIVATE, 'vault-private-only'],
    [403, 'Forbidden', 'KeyDisabled', 'Operation unwrapKey is not allowed on a disabled key.', 'key-disabled'],
    [
      403,
      'Forbidden',
      'KeyOperationForbidden',
      'Operation unwrapKey is not permitted on this key.',
      'key-operation-not-permitted',
    ],
    [403, 'Forbidden', 'SomethingNew', 'No.', 'vault-refused'],
    [403, undefined, 'constructor', 'No.', 'vault-refused'],
    [403, undefined, undefined, '<html>', 'vault-error'],
    [404, 'KeyNotFound', undefined, NOT_FOUND, 'key-not-found'],
    [404, 'VaultNotFound', undefined, 'gone', 'vault-not-found'],
    [404, undefined, undefined, '<html>', 'vault-error'],
    [401, 'Unauthorized', undefined, 'AKV10000: Request is missing a Bearer or PoP token.', 'vault-error'],
    [
      401,
      'Unauthorized',
      undefined,
      'AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com.',
      'vault-error',
    ],
    [401, 'Unauthorized', undefined, WRONG_ISSUER, 'wrong-entra-tenant'],
    [401, 'Unauthorized', undefined, "[TokenExpired] Error validating token: 'S2S12086'.", 'vault-error'],
    [
      429,
      'Throttled',
      undefined,
      'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
      'throttled',
    ],
    [408, undefined, undefined, '', 'vault-unreachable'],
    [500, 'InternalServerError', undefined, '', 'vault-unreachable'],
    [503, undefined, undefined, undefined, 'vault-unreachable'],
    [400, 'BadParameter', undefined, 'AKV.SKR.1004: no', 'vault-refused'],
    [302, undefined, undefined, undefined, 'vault-error'],
    [
      409,
      'Conflict',
      'ObjectIsDeletedButRecoverable',
      'Key k is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.',
      'vault-refused',
    ],
    // For seconds after a recovery.
    [409, 'Conflict', 'ObjectIsBeingRecovered', 'Key k is currently being recovered.', 'vault-error'],
    [409, 'Conflict', undefined, 'Key k is currently being deleted.', 'vault-error'],
    [409, undefined, undefined, undefined, 'vault-error'],
    [404, undefined, undefined, undefined, 'vault-error'],
    [404, 'NotInThisRegion', undefined, 'No.', 'vault-refused'],
    [402, 'SubscriptionSuspended', undefined, 'No.', 'vault-refused'],
    [410, 'Gone', undefined, 'No.', 'vault-refused'],
  ])('%i %s %s means %5$s', (status, code, innerCode, message, expected) => {
    const answer = {
      status,
      ...(code === undefined ? {} : { code }),
      ...(innerCode === undefined ? {} : { innerCode }),
      ...(message === undefined ? {} : { message }),
    };
    expect(classifyVaultAnswer(answer, FACTS).code).toBe(expected);
  });

  it.each([
    [RBAC, 'access-denied-rbac'],
    [POLICY, 'access-denied-policy'],
    [FIREWALL, 'vault-firewall'],
    [PRIVATE, 'vault-private-only'],
    [
      'Connection is not an approved private link and caller was ignored because bypass is not set',
      'vault-private-only',
    ],
    ['Operation unwrapKey is not allowed on a disabled key.', 'key-disabled'],
    ['Operation decrypt is not permitted on this key.', 'key-operation-not-permitted'],
  ])('reads the text of a 403 whose inner code is missing: %s', (message, expected) => {
    expect(classifyVaultAnswer({ status: 403, code: 'Forbidden', message }, FACTS).code).toBe(expected);
  });

  it('takes who was refused what and where out of the answer, for the command that mends it', () => {
    const { facts, remedy, service } = classifyVaultAnswer(
      { status: 403, code: 'Forbidden', innerCode: 'ForbiddenByRbac', message: RBAC, correlationId: 'abc' },
      FACTS,
    );
    expect(facts).toEqual({
      ...FACTS,
      appId: APP,
      principalId: OID,
      resourceId: RESOURCE,
      detail: 'Microsoft.KeyVault/vaults/keys/read',
    });
    expect(remedy.azureCli).toContain(`--assignee-object-id ${OID}`);
    expect(remedy.azureCli).toContain(`--scope ${RESOURCE}`);
    expect(service).toEqual({ status: 403, code: 'ForbiddenByRbac', message: RBAC, correlationId: 'abc' });
  });

  it('names the address that the firewall refused', () => {
    const found = classifyVaultAnswer({ status: 403, innerCode: 'ForbiddenByFirewall', message: FIREWALL }, FACTS);
    expect(found.message).toBe("The vault's firewall refuses our address 203.0.113.7.");
    expect(found.remedy.azureCli).toBe('az keyvault network-rule add --name contoso --ip-address 203.0.113.7');
  });

  it('gives both ways out of a vault with access policies', () => {
    const { remedy } = classifyVaultAnswer({ status: 403, innerCode: 'AccessDenied', message: POLICY }, FACTS);
    expect(remedy.azureCli).toContain(
      `az keyvault set-policy --name contoso --object-id ${OID} --key-permissions get unwrapKey`,
    );
    expect(remedy.azureCli).toContain('az keyvault update --name contoso --enable-rbac-authorization true');
  });

  it('does not take a resource that is none into a command', () => {
    const message = RBAC.replace(RESOURCE, "/subscriptions/x'; rm -rf /; '");
    const { facts } = classifyVaultAnswer({ status: 403, innerCode: 'ForbiddenByRbac', message }, FACTS);
    expect(facts.resourceId).toBeUndefined();
  });

  it('never fails, and never takes an answer that it does not know for a revocation', () => {
    const status = fc.oneof(fc.integer(), fc.constantFrom(401, 403, 404));
    fc.assert(
      fc.property(status, fc.string(), fc.string(), fc.string(), (code, outer, inner, message) => {
        const failure = classifyVaultAnswer({ status: code, code: outer, innerCode: inner, message }, {});
        expect(FAILURE_CODES).toContain(failure.code);
        expect(failure.kind === 'denied').toBe(failure.code === 'vault-refused');
        expect(afterLook(undefined, { outcome: 'failed', failure, warnings: [] }, new Date(0)).state).toBe(
          'unreachable',
        );
      }),
    );
  });
});
