import { describe, expect, it } from 'vitest';
import {
  GLOBAL_ADMINISTRATOR,
  judgeMicrosoftAdmin,
  PRIVILEGED_ROLE_ADMINISTRATOR,
} from '../../../shared/identity/entra/admin.ts';
import { refusedAtMicrosoft, secondsAfter, SINCE } from '../judged.ts';

const TENANT = '11111111-0000-4000-8000-000000000001';
const OTHER_TENANT = '11111111-0000-4000-8000-000000000002';
const EVERY_MEMBER = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
const EXCHANGE_ADMINISTRATOR = '29232cdf-9323-42fd-ade2-1d097af3e4de';
const admin = { tenantId: TENANT, roleTemplateIds: [GLOBAL_ADMINISTRATOR] };

describe('who may vouch for an Entra tenant', () => {
  it.each([
    ['a Global Administrator', [EVERY_MEMBER, GLOBAL_ADMINISTRATOR]],
    ['a Privileged Role Administrator', [PRIVILEGED_ROLE_ADMINISTRATOR]],
  ])('%s of it', (_who, roleTemplateIds) => {
    expect(refusedAtMicrosoft({ tenantId: TENANT, roleTemplateIds }, TENANT)).toBeUndefined();
  });

  it('is named by tenant and object id', () => {
    const person = { ...admin, objectId: 'o', displayName: 'Ada', authenticatedAt: SINCE };
    const judged = judgeMicrosoftAdmin(person, { tenantId: TENANT, since: SINCE });
    expect(judged).toEqual({ ok: true, value: { id: `${TENANT}/o`, displayName: 'Ada' } });
  });

  it.each([
    ['a user without a role', []],
    ['every member', [EVERY_MEMBER]],
    ['an administrator of something else', [EVERY_MEMBER, EXCHANGE_ADMINISTRATOR]],
  ])('not %s', (_who, roleTemplateIds) => {
    expect(refusedAtMicrosoft({ tenantId: TENANT, roleTemplateIds }, TENANT)?.code).toBe('admin-role-missing');
  });

  it('not a Global Administrator of another tenant, and says whose', () => {
    const found = refusedAtMicrosoft({ ...admin, tenantId: OTHER_TENANT }, TENANT);
    expect(found?.code).toBe('sign-in-wrong-tenant');
    expect(found?.message).toContain(OTHER_TENANT);
    expect(found?.cause).toContain(TENANT);
  });

  it('nobody, as long as the manifest asks for no roles: that is the move of the vendor', () => {
    const found = refusedAtMicrosoft({ tenantId: TENANT }, TENANT);
    expect(found).toMatchObject({ code: 'wids-not-emitted', owner: 'vendor' });
  });

  it.each([0, 30, 600, -60])('who signed in %i s after the browser was sent there', (seconds) => {
    expect(refusedAtMicrosoft({ ...admin, authenticatedAt: secondsAfter(seconds) }, TENANT)).toBeUndefined();
  });

  it.each([-61, -3_600])('not who signed in %i s from it', (seconds) => {
    const found = refusedAtMicrosoft({ ...admin, authenticatedAt: secondsAfter(seconds) }, TENANT);
    expect(found?.code).toBe('sign-in-not-fresh');
    expect(found?.remedy.text).not.toContain('Google');
  });

  it('nobody whose time Microsoft does not tell, since the vendor can have it told', () => {
    const { authenticatedAt: _untold, ...person } = { ...admin, objectId: 'o', displayName: 'Ada', authenticatedAt: 0 };
    const judged = judgeMicrosoftAdmin(person, { tenantId: TENANT, since: SINCE });
    expect(judged).toMatchObject({ ok: false, error: { code: 'auth-time-not-emitted', owner: 'vendor' } });
  });
});
