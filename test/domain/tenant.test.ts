import { describe, expect, it } from 'vitest';
import { parseTenantId } from '../../shared/domain/tenant.ts';

const GUID = '4a7b0e9c-5d1f-4a63-9c0e-2f8f3b1d6e70';

describe('the id of a Microsoft 365 tenant', () => {
  it.each([GUID, GUID.toUpperCase()])('is a GUID, compared in lower case: %s', (typed) => {
    expect(parseTenantId('microsoft-365', typed)).toEqual({ ok: true, value: GUID });
  });

  it.each([
    ['contoso.onmicrosoft.com', 'must be the GUID'],
    [`${GUID} `, 'must be the GUID'],
    [`{${GUID}}`, 'must be the GUID'],
    [GUID.replaceAll('-', ''), 'must be the GUID'],
    ['', 'must be the GUID'],
    ['00000000-0000-0000-0000-000000000000', 'must be the GUID'],
    ['9188040D-6C67-4C5B-B112-36A304B66DAD', 'personal accounts'],
  ])('is not %j', (typed, why) => {
    expect(parseTenantId('microsoft-365', typed)).toEqual({ ok: false, error: expect.stringContaining(why) as string });
  });
});

describe('the id of a Google Workspace', () => {
  const label63 = 'a'.repeat(63);

  it.each([
    'contoso.com',
    'mail.contoso.co.uk',
    '3m.com',
    'a-b.example',
    'xn--bcher-kva.example',
    'contoso.xn--p1ai',
    `${label63}.com`,
    `${[label63, label63, label63].join('.')}.${'a'.repeat(61)}`,
  ])('is a domain in lower case, as it is: %s', (typed) => {
    expect(parseTenantId('google-workspace', typed)).toEqual({ ok: true, value: typed });
  });

  it.each([
    'Contoso.com',
    'bücher.example',
    'contoso',
    'contoso.com.',
    '.contoso.com',
    'contoso..com',
    'contoso.com/',
    'contoso.com|x',
    'admin@contoso.com',
    'https://contoso.com',
    '-contoso.com',
    'contoso-.com',
    'con_toso.com',
    'ab--cd.com',
    'xn--.com',
    'xn--a-.com',
    '10.0.0.1',
    'contoso.4you',
    `${label63}a.com`,
    `${[label63, label63, label63].join('.')}.${'a'.repeat(62)}`,
    '',
  ])('is not %j', (typed) => {
    expect(parseTenantId('google-workspace', typed)).toEqual({
      ok: false,
      error: 'must be the primary domain of a Google Workspace, in lower case, international names in Punycode',
    });
  });

  it.each(['gmail.com', 'googlemail.com'])('is not where personal accounts are: %s', (typed) => {
    expect(parseTenantId('google-workspace', typed)).toEqual({
      ok: false,
      error: 'is where personal accounts are, and no Google Workspace',
    });
  });
});
