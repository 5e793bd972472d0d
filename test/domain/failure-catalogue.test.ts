import { describe, expect, it } from 'vitest';
import { catalogue } from '../../shared/domain/failure-catalogue.ts';
import { asPropagating, type FailureCode } from '../../shared/domain/failure.ts';
import { failure, LINK_FAILURES } from '../../shared/domain/failures.ts';
import { withFacts } from '../../shared/providers/azure-key-vault/words/failures.ts';
import { failure as failureAtGoogle } from '../../shared/identity/google/words/failures.ts';
import { failure as failureAtEntra } from '../../shared/identity/entra/words/failures.ts';

const VAULT = { vaultHost: 'contoso.vault.azure.net' };

describe('a catalogue of failures', () => {
  it('makes none of a code that no area declares, nor of one that is not its own: neither compiles', () => {
    // @ts-expect-error: no area declares it
    const unheardOf: FailureCode = 'unheard-of';
    const ofLinks = catalogue(LINK_FAILURES);
    // @ts-expect-error: another area's
    expect(() => ofLinks.failure('vault-not-found')).toThrow();
    expect(Object.keys(LINK_FAILURES)).not.toContain(unheardOf);
  });

  it('takes no entries of a code that no area declares', () => {
    // @ts-expect-error: it would be missing from the API and from docs/failures.md
    expect(catalogue({ 'unheard-of': LINK_FAILURES['link-done'] })).toBeDefined();
  });

  it('fills in more names, and keeps what the failure knew and has become', () => {
    const denial = failureAtEntra('entra-tenant-not-found', { tenantId: 'a' }, { status: 400 });
    const known = withFacts(asPropagating(denial, '2026-01-01T00:10:00.000Z'), { ...VAULT, tenantId: 'b' });
    expect(known).toMatchObject({
      kind: 'propagating',
      becomesDeniedAt: '2026-01-01T00:10:00.000Z',
      service: { status: 400 },
      facts: { ...VAULT, tenantId: 'a' },
      remedy: { azureCli: 'az keyvault show --name contoso --query properties.tenantId --output tsv' },
    });
  });

  it("makes it the vendor's move once the vault is known to be the vendor's own", () => {
    const denial = failureAtEntra('consent-required');
    expect(denial).toMatchObject({ owner: 'company-admin', revokes: 'at-once' });
    const known = withFacts(denial, { ...VAULT, ownVault: 'company-keys' });
    expect(known.owner).toBe('vendor');
    expect(known.message).toMatch(/^The vendor's own vault fails: /);
  });

  it("leaves another catalogue's failure its words", () => {
    const met = failureAtGoogle('google-unreachable');
    expect(withFacts(met, VAULT)).toEqual({ ...met, facts: VAULT });
    expect(withFacts(failure('row-forged'), VAULT)).toMatchObject({ code: 'row-forged', facts: VAULT });
  });

  it('says of one code what the service says that is asked: the words are those of its own area', () => {
    expect(failureAtGoogle('consent-declined').remedy.text).toContain('Super Admin of the Google Workspace');
    expect(failureAtEntra('consent-declined').remedy.text).toContain('Global Administrator');
    expect(failureAtGoogle('sign-in-refused', { detail: 'admin_policy_enforced' })).toMatchObject({
      owner: 'company-admin',
      message: 'Google refused the sign-in: admin_policy_enforced.',
    });
    expect(failureAtEntra('sign-in-refused').owner).toBe('azure-admin');
  });
});
