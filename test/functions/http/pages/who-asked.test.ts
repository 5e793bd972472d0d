import { expect, test } from 'vitest';
import { requestedBy } from '../../../../functions/http/kernel/caller.ts';
import { pageFor } from '../../../../functions/http/pages/sign-in/render.ts';
import { consent } from './page-views.ts';

const caller = { roles: new Set(['VendorAdmin'] as const), subject: 'entra:7e5d0000-0000-4000-8000-00000000beef' };

/** What stands beside "Asked for by" on the page of a link that this caller has made. */
function shown(actor: string | null): string {
  const by = requestedBy(caller, actor);
  if (!by.ok) throw new Error('the actor is refused');
  const start = pageFor({ page: 'start', subject: { ...consent, requestedBy: by.value }, action: '/a' });
  const page = String(start({ vendorName: 'Tailspin Backup' }).main);
  const [, dd = ''] = /Asked for by<\/dt>\s*<dd>(.*?)<\/dd>/s.exec(page) ?? [];
  return dd
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll(/\s+/g, ' ');
}

test('whoever opens a link is told the name of the person who asked, who says so, and the account that is proved', () => {
  expect(shown('maria.huber%40fabrikam.example')).toBe(
    `maria.huber@fabrikam.example, as the product of Tailspin Backup says; its account is ${caller.subject}`,
  );
});

test('a name that looks like such words is one name', () => {
  expect(shown(encodeURIComponent('Ann" asserting "Global Admin'))).toBe(
    `Ann" asserting "Global Admin, as the product of Tailspin Backup says; its account is ${caller.subject}`,
  );
});

test('where the product names nobody, the account stands alone', () => {
  expect(shown(null)).toBe(`the account ${caller.subject}`);
});
