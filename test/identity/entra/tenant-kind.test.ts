import { describe, expect, it } from 'vitest';
import { MICROSOFT_365 } from '../../../shared/identity/entra/tenant-kind.ts';

const GUID = '4a7b0e9c-5d1f-4a63-9c0e-2f8f3b1d6e70';

describe('the id of a Microsoft 365 tenant', () => {
  it.each([GUID, GUID.toUpperCase()])('is a GUID, compared in lower case: %s', (typed) => {
    expect(MICROSOFT_365.parseId(typed)).toEqual({ ok: true, value: GUID });
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
    expect(MICROSOFT_365.parseId(typed)).toEqual({ ok: false, error: expect.stringContaining(why) as string });
  });
});
