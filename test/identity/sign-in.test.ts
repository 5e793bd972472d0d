import { describe, expect, it } from 'vitest';
import {
  GLOBAL_ADMINISTRATOR,
  judgeFreshness,
  judgeGoogleAdmin,
  judgeMicrosoftAdmin,
  PRIVILEGED_ROLE_ADMINISTRATOR,
} from '../../shared/identity/sign-in.ts';

const TENANT = '11111111-0000-4000-8000-000000000001';
const OTHER_TENANT = '11111111-0000-4000-8000-000000000002';
const EVERY_MEMBER = 'b79fbf4d-3ef9-4689-8143-76b194e85509';
const EXCHANGE_ADMINISTRATOR = '29232cdf-9323-42fd-ade2-1d097af3e4de';

describe('who may vouch for an Entra tenant', () => {
  it.each([
    ['a Global Administrator', [EVERY_MEMBER, GLOBAL_ADMINISTRATOR]],
    ['a Privileged Role Administrator', [PRIVILEGED_ROLE_ADMINISTRATOR]],
  ])('%s of it', (_who, roleTemplateIds) => {
    expect(judgeMicrosoftAdmin({ tenantId: TENANT, roleTemplateIds }, TENANT)).toBeUndefined();
  });

  it.each([
    ['a user without a role', []],
    ['every member', [EVERY_MEMBER]],
    ['an administrator of something else', [EVERY_MEMBER, EXCHANGE_ADMINISTRATOR]],
  ])('not %s', (_who, roleTemplateIds) => {
    expect(judgeMicrosoftAdmin({ tenantId: TENANT, roleTemplateIds }, TENANT)?.code).toBe('admin-role-missing');
  });

  it('not a Global Administrator of another tenant, and says whose', () => {
    const found = judgeMicrosoftAdmin({ tenantId: OTHER_TENANT, roleTemplateIds: [GLOBAL_ADMINISTRATOR] }, TENANT);
    expect(found?.code).toBe('sign-in-wrong-tenant');
    expect(found?.message).toContain(OTHER_TENANT);
    expect(found?.cause).toContain(TENANT);
  });

  it('nobody, as long as the manifest asks for no roles: that is the move of the vendor', () => {
    const found = judgeMicrosoftAdmin({ tenantId: TENANT }, TENANT);
    expect(found).toMatchObject({ code: 'wids-not-emitted', owner: 'vendor' });
  });
});

describe('who may vouch for a Google Workspace', () => {
  const superAdmin = { domain: 'acme.example', isSuperAdmin: true, isDelegatedAdmin: false };

  it('a Super Admin of it', () => {
    expect(judgeGoogleAdmin(superAdmin, 'acme.example')).toBeUndefined();
  });

  it('not a Super Admin of another Workspace, nor of one below or above it', () => {
    for (const domain of ['globex.example', 'sub.acme.example', 'example', 'acme.example.globex.example']) {
      expect(judgeGoogleAdmin({ ...superAdmin, domain }, 'acme.example')?.code).toBe('google-wrong-domain');
    }
  });

  it('not a private account, and says so', () => {
    const found = judgeGoogleAdmin({ isSuperAdmin: false, isDelegatedAdmin: false }, 'acme.example');
    expect(found).toMatchObject({ code: 'google-wrong-domain' });
    expect(found?.message).toBe('A personal Google account cannot speak for the company.');
  });

  it('not a delegated administrator, who is told so', () => {
    const found = judgeGoogleAdmin({ ...superAdmin, isSuperAdmin: false, isDelegatedAdmin: true }, 'acme.example');
    expect(found?.code).toBe('google-not-super-admin');
    expect(found?.cause).toContain('The user is a delegated administrator');
  });

  it('not an ordinary user', () => {
    const found = judgeGoogleAdmin({ ...superAdmin, isSuperAdmin: false }, 'acme.example');
    expect(found?.code).toBe('google-not-super-admin');
    expect(found?.cause).not.toContain('The user is a delegated');
  });
});

describe('a sign-in for what is asked', () => {
  const since = new Date('2026-01-01T12:00:00.000Z');
  const at = (seconds: number): Date => new Date(since.getTime() + seconds * 1000);

  it.each([0, 30, 600, -60])('is one that ended %i s after the browser was sent there', (seconds) => {
    for (const service of ['microsoft', 'google'] as const) {
      expect(judgeFreshness(at(seconds), { since, at: service })).toBeUndefined();
    }
  });

  it.each([-61, -3_600])('is none that is %i s from it', (seconds) => {
    const microsoft = judgeFreshness(at(seconds), { since, at: 'microsoft' });
    const google = judgeFreshness(at(seconds), { since, at: 'google' });
    expect([microsoft?.code, google?.code]).toEqual(['sign-in-not-fresh', 'sign-in-not-fresh']);
    expect(microsoft?.remedy.text).not.toContain('Google');
    expect(google?.remedy.text).toContain('sign out of Google');
  });

  it('is to be told by Microsoft, since the vendor can have it told; of Google, which cannot ask for one, silence is taken', () => {
    const found = judgeFreshness(undefined, { since, at: 'microsoft' });
    expect(found).toMatchObject({ code: 'auth-time-not-emitted', owner: 'vendor' });
    expect(judgeFreshness(undefined, { since, at: 'google' })).toBeUndefined();
  });
});
