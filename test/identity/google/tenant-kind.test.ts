import { describe, expect, it } from 'vitest';
import { GOOGLE_WORKSPACE } from '../../../shared/identity/google/tenant-kind.ts';

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
    expect(GOOGLE_WORKSPACE.parseId(typed)).toEqual({ ok: true, value: typed });
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
    expect(GOOGLE_WORKSPACE.parseId(typed)).toEqual({
      ok: false,
      error: 'must be the primary domain of a Google Workspace, in lower case, international names in Punycode',
    });
  });

  it.each(['gmail.com', 'googlemail.com'])('is not where personal accounts are: %s', (typed) => {
    expect(GOOGLE_WORKSPACE.parseId(typed)).toEqual({
      ok: false,
      error: 'is where personal accounts are, and no Google Workspace',
    });
  });
});

describe('who may speak for a Google Workspace', () => {
  const judge = (pinned: string | undefined, speaks: string | undefined): string | undefined =>
    GOOGLE_WORKSPACE.pin?.judge({ tenantId: 'contoso.com', pinned, speaks })?.code;

  it('is the first Workspace, and from then on the same one', () => {
    expect([judge(undefined, 'C01'), judge('C01', 'C01')]).toEqual([undefined, undefined]);
  });

  it('is no other Workspace of the same domain, and none without a customer id', () => {
    expect(judge('C01', 'C02')).toBe('google-workspace-changed');
    expect([judge(undefined, undefined), judge('C01', undefined)]).toEqual(['google-error', 'google-error']);
  });

  it('is an administrator of its own domain', () => {
    expect(GOOGLE_WORKSPACE.notItsAdmin('contoso.com')).toMatchObject({
      code: 'google-wrong-domain',
      message: expect.stringContaining('contoso.com') as string,
    });
  });
});
