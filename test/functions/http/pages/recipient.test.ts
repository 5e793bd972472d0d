import { expect, test } from 'vitest';
import { pageFor } from '../../../../functions/http/pages/sign-in/render.ts';
import type { VerificationSubject } from '../../../../functions/http/pages/sign-in/views.ts';

const THUMBPRINT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
type Recipient = Extract<VerificationSubject['approval'], { for: 'export' }>['recipient'];

const exportTo = (recipient: Recipient): VerificationSubject => ({
  purpose: 'verification',
  company: { id: 'acme', displayName: 'Acme' },
  requestedBy: 'somebody',
  expiresAt: '2026-11-25T18:17:04.123Z',
  tenant: { kind: 'google-workspace', id: 'contoso.example' },
  approval: { for: 'export', keyringId: 'default', recipient },
});

/** Every page that shows what is approved: both questions, and the two answers. */
const pagesOf = (subject: VerificationSubject): string[] => {
  const person = { displayName: 'Ann', id: 'contoso.example/1' };
  const field = { name: 'state', value: 'x' };
  return [
    { page: 'start', subject, action: '/a' } as const,
    { page: 'confirmation', subject, action: '/a', person, field } as const,
    { page: 'tenant-verified', subject, tenantsLeft: 0 } as const,
    { page: 'declined', subject } as const,
  ].map((view) => String(pageFor(view)({ vendorName: 'Vendor' }).main));
};

test('whoever approves an export is shown the thumbprint of the key that it goes to', () => {
  for (const page of pagesOf(exportTo({ type: 'public-key', thumbprint: THUMBPRINT }))) {
    expect(page).toContain(THUMBPRINT);
    expect(page).not.toContain('passphrase');
  }
});

test('or that it goes to whoever knows a passphrase', () => {
  for (const page of pagesOf(exportTo({ type: 'passphrase' }))) expect(page).toContain('a passphrase that is chosen');
});

test('whoever approves a switch is told that a copy of the key may be taken after it', () => {
  const subject: VerificationSubject = {
    ...exportTo({ type: 'passphrase' }),
    approval: {
      for: 'switch',
      keyringId: 'default',
      switchId: 's1',
      destination: { isVendors: true, vaultHost: 'v.vault.azure.net', keyName: 'k', tenantId: 't' },
    },
  };
  for (const page of pagesOf(subject).slice(0, 2))
    expect(page.replaceAll(/\s+/g, ' ')).toContain('take one copy of the company key');
});

test('whoever approves a switch to a key that the vendor hosts is told that its administrators can reach it', () => {
  const key = { vaultHost: 'hosted-acme.vault.azure.net', keyName: 'k', tenantId: 'vendor' };
  const switchTo = (isHosted: boolean): VerificationSubject => ({
    ...exportTo({ type: 'passphrase' }),
    approval: {
      for: 'switch',
      keyringId: 'default',
      switchId: 's1',
      destination: { ...key, isVendors: false, isHosted },
    },
  });
  const words = 'hosts in its own Entra tenant, where its administrators can reach it';
  for (const page of pagesOf(switchTo(true))) expect(page.replaceAll(/\s+/g, ' ')).toContain(words);
  for (const page of pagesOf(switchTo(false))) expect(page).not.toContain('hosts in its own');
});
