import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyNetworkError } from '../../shared/domain/network-error.ts';

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
    expect(classifyNetworkError({ service: 'vault', errorCode }, FACTS).code).toBe(vault);
    expect(classifyNetworkError({ service: 'entra', errorCode }, FACTS).code).toBe(entra);
  });

  it.each([
    ['getaddrinfo ENOTFOUND contoso.vault.azure.net', 'vault-not-found'],
    ['getaddrinfo EAI_AGAIN contoso.vault.azure.net', 'vault-unreachable'],
    ['socket hang up', 'vault-unreachable'],
    ['The operation timed out', 'vault-unreachable'],
    ['', 'vault-error'],
  ])('reads the text where there is no code: "%s" means %s', (message, expected) => {
    expect(classifyNetworkError({ service: 'vault', message }, FACTS).code).toBe(expected);
  });

  it('is a denial only if the name does not exist', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (errorCode, message) => {
        expect(classifyNetworkError({ service: 'vault', errorCode, message }, {}).kind).toBe('transient');
      }),
    );
  });
});
