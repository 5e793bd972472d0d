import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failure, FAILURE_CODES } from '../../shared/failures.ts';
import { asPropagating, type FailureFacts } from '../../shared/domain/failure.ts';

const ALL_FACTS: FailureFacts = {
  vaultHost: 'contoso.vault.azure.net',
  keyName: 'main-key',
  tenantId: '11111111-0000-4000-8000-000000000001',
  appId: '22222222-0000-4000-8000-000000000002',
  principalId: '33333333-0000-4000-8000-000000000003',
  clientAddress: '203.0.113.7',
  resourceId:
    '/subscriptions/44444444-0000-4000-8000-000000000004/resourcegroups/keys/providers/microsoft.keyvault/vaults/contoso/keys/main-key',
};

describe('the failure catalogue', () => {
  it.each(FAILURE_CODES)('gives %s a message of one sentence, a cause and a remedy, with or without names', (code) => {
    for (const facts of [{}, ALL_FACTS, { ...ALL_FACTS, keySeen: true }]) {
      const { message, cause, remedy } = failure(code, facts);
      for (const text of [message, cause, remedy.text]) {
        expect(text).toMatch(/^[A-Z].*[^.]\.$/s);
        expect(text).not.toMatch(/undefined| {2}|\.\.|[<>]/);
      }
      for (const text of [remedy.azureCli, remedy.portal]) {
        if (text !== undefined) expect(text).not.toMatch(/undefined|<[a-z]|YOUR_/i);
      }
    }
  });

  it.each([
    ['vault-uri-contains-key-path', 'input', 'company-admin'],
    ['vault-unreachable', 'transient', 'vendor'],
    ['access-denied-rbac', 'denied', 'azure-admin'],
    ['key-purgeable', 'warning', 'azure-admin'],
    ['row-forged', 'integrity', 'vendor'],
    ['key-substituted', 'integrity', 'vendor'],
    ['vault-key-in-use', 'integrity', 'vendor'],
    ['federation-mismatch', 'denied', 'vendor'],
    ['managed-identity-unavailable', 'transient', 'vendor'],
    ['vault-error', 'transient', 'vendor'],
    ['entra-error', 'transient', 'vendor'],
    ['entra-refused', 'denied', 'company-admin'],
  ] as const)('says of %s that it is %s and the move of the %s', (code, kind, owner) => {
    expect(failure(code)).toMatchObject({ code, kind, owner });
  });

  it('assigns the role to the principal that the vault named, on the key that the vault named', () => {
    const { azureCli } = failure('access-denied-rbac', ALL_FACTS).remedy;
    expect(azureCli).toBe(
      'az role assignment create --assignee-object-id 33333333-0000-4000-8000-000000000003 ' +
        '--assignee-principal-type ServicePrincipal --role e147488a-f6f5-4113-8e2d-b22465e65bf6 ' +
        '--scope /subscriptions/44444444-0000-4000-8000-000000000004/resourcegroups/keys/providers/microsoft.keyvault/vaults/contoso/keys/main-key',
    );
  });

  it('asks for ids that only Azure knows inside the command', () => {
    const { azureCli } = failure('access-denied-rbac', {
      vaultHost: 'contoso.vault.azure.net',
      keyName: 'main-key',
      appId: '22222222-0000-4000-8000-000000000002',
    }).remedy;
    expect(azureCli).toContain(
      '--assignee-object-id "$(az ad sp show --id 22222222-0000-4000-8000-000000000002 --query id --output tsv)"',
    );
    expect(azureCli).toContain('--scope "$(az keyvault show --name contoso --query id --output tsv)"/keys/main-key');
  });

  it('leaves a command out rather than leave a name to be filled in', () => {
    expect(failure('access-denied-rbac', { vaultHost: 'contoso.vault.azure.net' }).remedy.azureCli).toBeUndefined();
    expect(failure('access-denied-policy', {}).remedy.azureCli).toBeUndefined();
  });

  it('keeps the operations that a key permits already when it adds unwrapKey', () => {
    expect(failure('key-operation-not-permitted', ALL_FACTS).remedy.azureCli).toBe(
      'az keyvault key set-attributes --vault-name contoso --name main-key --ops ' +
        '$(az keyvault key show --vault-name contoso --name main-key --query "key.keyOps" --output tsv) unwrapKey',
    );
  });

  it('says that a key seen before can be recovered', () => {
    expect(failure('key-not-found', { ...ALL_FACTS, keySeen: true }).remedy.azureCli).toBe(
      'az keyvault key recover --vault-name contoso --name main-key',
    );
    expect(failure('key-not-found', ALL_FACTS).message).toBe('Key not found in the vault.');
  });

  it('lets no value from outside end its shell word or begin a new line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const { azureCli = '' } = failure('key-disabled', { vaultHost: 'a.vault.azure.net', keyName: name }).remedy;
        const word = /^az keyvault key set-attributes --vault-name a --name (.*) --enabled true$/.exec(azureCli)?.[1];
        expect(word).toMatch(/^([0-9A-Za-z._:/@=-]+|('[^']*'|\\')+)$/);
      }),
    );
  });

  it('takes line breaks and direction marks out of facts, and bounds them', () => {
    const detail = `one\r\ntwo\u202Ethree${'x'.repeat(1000)}`;
    const { facts, message } = failure('vault-error', { detail });
    expect(facts.detail).toHaveLength(400);
    expect(message).toMatch(/one {2}two three/);
  });

  it('bounds what a service said', () => {
    expect(failure('vault-error', {}, { message: 'x'.repeat(10_000) }).service?.message).toHaveLength(2_000);
  });

  it('knows when a denial of a fresh grant becomes final', () => {
    const waiting = asPropagating(failure('access-denied-rbac'), '2026-01-01T00:10:00.000Z');
    expect(waiting).toMatchObject({ kind: 'propagating', becomesDeniedAt: '2026-01-01T00:10:00.000Z' });
  });
});
