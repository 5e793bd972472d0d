import { describe, expect, it } from 'vitest';
import { isTenantRef } from '../../../shared/domain/tenant.ts';
import { TENANT_KINDS, tenantKind } from '../../../shared/identity/registry/tenant-kinds.ts';

describe('the registered kinds of tenants', () => {
  it('have the names that the API and stored rows know, each once', () => {
    expect(TENANT_KINDS.map(({ name }) => name)).toEqual(['microsoft-365', 'google-workspace']);
  });

  it.each([
    ['microsoft-365', '4a7b0e9c-5d1f-4a63-9c0e-2f8f3b1d6e70'],
    ['google-workspace', 'contoso.xn--p1ai'],
  ])('take only ids that rows can hold: %s %s', (kind, tenantId) => {
    const found = tenantKind(kind);
    expect(found.parseId(tenantId)).toEqual({ ok: true, value: tenantId });
    expect(tenantId).toMatch(found.idPattern);
    expect(isTenantRef({ kind, tenantId })).toBe(true);
  });

  it('are all that there are', () => {
    expect(() => tenantKind('github')).toThrow('not registered');
  });
});
