import { describe, expect, it } from 'vitest';
import { judgeGoogleAdmin } from '../../../shared/identity/google/admin.ts';
import { refusedAtGoogle, secondsAfter, SINCE } from '../judged.ts';

describe('who may vouch for a Google Workspace', () => {
  const superAdmin = { domain: 'acme.example', isSuperAdmin: true };

  it('a Super Admin of it', () => {
    expect(refusedAtGoogle(superAdmin, 'acme.example')).toBeUndefined();
  });

  it('is named by domain and subject, with the customer id of the Workspace', () => {
    const workspace = { customerId: 'C03abc123', isDomainProved: true };
    const person = { ...superAdmin, subject: '1', email: 's@acme.example', isDelegatedAdmin: false, workspace };
    const judged = judgeGoogleAdmin(person, { tenantId: 'acme.example', since: SINCE });
    const value = { id: 'acme.example/1', displayName: 's@acme.example', customerId: 'C03abc123' };
    expect(judged).toEqual({ ok: true, value });
  });

  it('nobody without a name', () => {
    expect(refusedAtGoogle({ ...superAdmin, subject: '' }, 'acme.example')?.code).toBe('id-token-invalid');
  });

  it('not a Super Admin of another Workspace, nor of one below or above it', () => {
    for (const domain of ['globex.example', 'sub.acme.example', 'example', 'acme.example.globex.example']) {
      expect(refusedAtGoogle({ ...superAdmin, domain }, 'acme.example')?.code).toBe('google-wrong-domain');
    }
  });

  it('not a private account, and says so', () => {
    const found = refusedAtGoogle({}, 'acme.example');
    expect(found).toMatchObject({ code: 'google-wrong-domain' });
    expect(found?.message).toBe('A personal Google account cannot speak for the company.');
  });

  it('not a delegated administrator, who is told so', () => {
    const found = refusedAtGoogle({ ...superAdmin, isSuperAdmin: false, isDelegatedAdmin: true }, 'acme.example');
    expect(found?.code).toBe('google-not-super-admin');
    expect(found?.cause).toContain('The user is a delegated administrator');
  });

  it('not an ordinary user', () => {
    const found = refusedAtGoogle({ ...superAdmin, isSuperAdmin: false }, 'acme.example');
    expect(found?.code).toBe('google-not-super-admin');
    expect(found?.cause).not.toContain('The user is a delegated');
  });

  it('not a Super Admin of a Workspace that has not proved the domain, or of which Google says nothing', () => {
    const { workspace: _none, ...untold } = {
      ...superAdmin,
      subject: '1',
      email: 's',
      isDelegatedAdmin: false,
      workspace: 0,
    };
    const judged = judgeGoogleAdmin(untold, { tenantId: 'acme.example', since: SINCE });
    expect(judged).toMatchObject({ ok: false, error: { code: 'google-domain-unproved' } });
    const workspace = { customerId: 'C03abc123', isDomainProved: false };
    expect(refusedAtGoogle({ ...superAdmin, workspace }, 'acme.example')?.code).toBe('google-domain-unproved');
  });

  it.each([0, 30, 600, -60])('who signed in %i s after the browser was sent there', (seconds) => {
    const person = { ...superAdmin, authenticatedAt: secondsAfter(seconds) };
    expect(refusedAtGoogle(person, 'acme.example')).toBeUndefined();
  });

  it.each([-61, -3_600])(
    'not who signed in %i s from it; silence is taken, since Google cannot be asked',
    (seconds) => {
      const found = refusedAtGoogle({ ...superAdmin, authenticatedAt: secondsAfter(seconds) }, 'acme.example');
      expect(found?.code).toBe('sign-in-not-fresh');
      expect(found?.remedy.text).toContain('sign out of Google');
    },
  );
});
