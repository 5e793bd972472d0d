import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../shared/domain/failure.ts';
import { classifyNoAnswer as ofVault, type NameFound } from '../../../shared/providers/azure-key-vault/no-answer.ts';
import { classifyNoAnswer as ofEntra } from '../../../shared/identity/entra/no-answer.ts';

const FACTS = { vaultHost: 'contoso.vault.azure.net' };

describe('no answer at all', () => {
  it.each([
    ['ENOTFOUND', 'vault-not-found', 'entra-unreachable'],
    ['EAI_AGAIN', 'vault-unreachable', 'entra-unreachable'],
    ['ETIMEDOUT', 'vault-unreachable', 'entra-unreachable'],
    ['ECONNREFUSED', 'vault-unreachable', 'entra-unreachable'],
    ['ECONNRESET', 'vault-unreachable', 'entra-unreachable'],
    ['CERT_HAS_EXPIRED', 'vault-unreachable', 'entra-unreachable'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'vault-unreachable', 'entra-unreachable'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'vault-unreachable', 'entra-unreachable'],
    ['UND_ERR_CONNECT_TIMEOUT', 'vault-unreachable', 'entra-unreachable'],
    ['REQUEST_SEND_ERROR', 'vault-unreachable', 'entra-unreachable'],
    ['AbortError', 'vault-unreachable', 'entra-unreachable'],
    ['E_NEVER_HEARD_OF', 'vault-error', 'entra-error'],
  ])('%s means %s of a vault and %s of Entra', (errorCode, vault, entra) => {
    expect(ofVault({ errorCode }, FACTS).code).toBe(vault);
    expect(ofEntra({ errorCode }, FACTS).code).toBe(entra);
  });

  it.each([
    ['getaddrinfo ENOTFOUND contoso.vault.azure.net', 'vault-not-found'],
    ['getaddrinfo EAI_AGAIN contoso.vault.azure.net', 'vault-unreachable'],
    ['socket hang up', 'vault-unreachable'],
    ['The operation timed out', 'vault-unreachable'],
    ['', 'vault-error'],
  ])('reads the text where there is no code: "%s" means %s', (message, expected) => {
    expect(ofVault({ message }, FACTS).code).toBe(expected);
  });

  it('of a name is told apart by what DNS says of it besides: gone, or hidden by our own network', () => {
    const without = (nameFound?: NameFound): Failure =>
      ofVault({ errorCode: 'ENOTFOUND', ...(nameFound === undefined ? {} : { nameFound }) }, FACTS);
    expect(without('private')).toMatchObject({ code: 'vault-unreachable', kind: 'transient', owner: 'vendor' });
    expect(without('private').remedy.azureCli).toBeUndefined();
    expect(without('gone')).toMatchObject({ code: 'vault-not-found', facts: { nameGone: true } });
    for (const failure of [without('unknown'), without()]) {
      expect(failure).toMatchObject({ code: 'vault-not-found', facts: FACTS });
      expect(failure.facts.nameGone).toBeUndefined();
      expect(failure.remedy.text).toContain("or the vendor's network resolves the name privately");
      expect(failure.remedy.azureCli).toBe(
        '# is it there?\naz keyvault show --name contoso\n# if it was deleted\naz keyvault recover --name contoso',
      );
    }
  });

  it('is a denial only if the name does not exist', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (errorCode, message) => {
        expect(ofVault({ errorCode, message }, {}).kind).toBe('transient');
      }),
    );
  });
});
