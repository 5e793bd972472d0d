// A client secret as people paste it: taken as Entra made it, and what is none named by its form, without a character of it in the answer.
import { describe, expect, it } from 'vitest';
import { parseClientSecret } from '../../../../shared/providers/azure-key-vault/input/client-secret.ts';
import { wayIn } from '../../../../shared/providers/azure-key-vault/input/way-in.ts';

const VALUE = 'pFF8Q~3R.bzncyyAqiIOuP.0X0Nu7YIyCMd3pcB2';
const GUID = '0c8ad5a3-6f1e-4a44-9a5b-2f6f1c7f2a10';
const TENANT = '6c9d1d5e-3f7a-4b2c-8e10-5a7b9c3d1e2f';
const APP = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
const CONNECTOR = '7e5d0000-0000-4000-8000-0000000000c1';
const POLICY = { connectorClientId: CONNECTOR, identityClientId: 'identity', vendorTenantId: 'vendor' };

describe('a client secret', () => {
  it.each([
    ['as Entra makes it today', VALUE],
    ['of 34 characters, as it once was', 'w.2~9-yAqiIOuP.0X0Nu7YIyCMd3pcB2_z'],
    ['in base64, as it was before', 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA='],
    ['with brackets and colons, which Entra has used too', ':]=y[Yw1@.ZK5rYxKq?cW/b2bLqzpT1='],
    ['of an app that a person named', 'Password-of-1998!'],
  ])('%s is taken', (_, value) => {
    expect(parseClientSecret(value)).toEqual({ ok: true, value });
  });

  it.each([`  ${VALUE}`, `${VALUE}\n`, `\t${VALUE} \r\n`])('is taken without the blanks around it: %j', (typed) => {
    expect(parseClientSecret(typed)).toEqual({ ok: true, value: VALUE });
  });

  it.each([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    [GUID, 'it is a GUID, as the Secret ID is'],
    [`{${GUID.toUpperCase()}}`, 'it is a GUID'],
    [`"${GUID}"`, 'it is a GUID'],
    [`\u200b${GUID}`, 'it is a GUID'],
    [GUID.replaceAll('-', '\u2011'), 'it is a GUID'],
    [`"${VALUE}"`, 'a quotation mark around it (")'],
    [`'${VALUE}'`, "a quotation mark around it (')"],
    [`\`${VALUE}\``, 'a quotation mark around it (`)'],
    [`"${VALUE}`, 'a quotation mark around it (")'],
    [`${VALUE}'`, "a quotation mark around it (')"],
    [`\u201c${VALUE}\u201d`, 'a quotation mark around it (U+201C)'],
    [`\u00ab${VALUE}\u00bb`, 'a quotation mark around it (U+00AB)'],
    [`\u200b${VALUE}`, 'U+200B, which cannot be seen, at position 1'],
    [`${VALUE}\u00ad`, 'U+00AD, which cannot be seen, at position 41'],
    [VALUE.replace('~', '\u223c'), 'it holds U+223C at position 6'],
    [VALUE.replace('.', ' '), 'it holds a blank at position 9'],
    [VALUE.replace('.', '\u00a0'), 'U+00A0, which only looks like a blank, at position 9'],
    [`AZURE_CLIENT_SECRET=${VALUE}`, 'it begins with the name of a setting'],
    [`Value: ${VALUE}`, 'it begins with the name of a setting'],
    [`"password": "${VALUE}"`, 'a quotation mark around it'],
    [`{"appId":"${APP}","password":"${VALUE}","tenant":"${TENANT}"}`, 'it is JSON'],
    [`https://contoso.vault.azure.net/secrets/${VALUE}`, 'it is an address'],
    ['pFF***********', 'it is shorter than 16 characters'],
    ['••••••••••••••••••••', 'it is a row of dots'],
    [VALUE.repeat(7), 'it is longer than 256 characters'],
  ])('is refused where it was pasted as %j: %s', (typed, why) => {
    const parsed = parseClientSecret(typed);
    expect(parsed).toMatchObject({ ok: false, error: { code: 'client-secret-invalid', kind: 'input' } });
    expect(!parsed.ok && parsed.error.facts.detail).toContain(why);
    expect(JSON.stringify(parsed)).not.toContain('yAqiIOuP');
    expect(JSON.stringify(parsed)).not.toContain('6f1e-4a44');
  });
});

describe('a credential', () => {
  const parse = (typed: object, tenantId: string | undefined = TENANT): ReturnType<typeof wayIn> =>
    wayIn({ kind: 'client-secret', ...typed }, POLICY, tenantId);
  const whole = { clientId: APP, clientSecret: VALUE, expiresAt: '2027-05-31' };

  it('with a secret has it beside what is stored of it, and its end as a time', () => {
    expect(parse({ ...whole, clientId: ` ${APP.toUpperCase()} ` })).toEqual({
      ok: true,
      value: {
        credential: { kind: 'client-secret', clientId: APP },
        tenantId: TENANT,
        secret: { value: VALUE, expiresAt: '2027-05-31T00:00:00.000Z' },
      },
    });
  });

  it('without a secret keeps what is stored', () => {
    expect(parse({ clientId: APP, dropOlder: true })).toMatchObject({ value: { secret: { dropOlder: true } } });
  });

  it.each([
    [{ clientId: 'contoso' }, 'body.credential.clientId'],
    [{ clientId: TENANT }, 'body.credential.clientId'],
    [{ clientId: CONNECTOR }, 'body.credential.clientId'],
    [{ expiresAt: undefined }, 'body.credential.expiresAt'],
    [{ expiresAt: 'in two years' }, 'body.credential.expiresAt'],
    [{ clientSecret: GUID }, 'body.credential.clientSecret'],
  ])('with %j is refused at %s', (change, target) => {
    const parsed = parse({ ...whole, ...change });
    expect(parsed).toMatchObject({ ok: false, error: { target } });
    expect(JSON.stringify(parsed)).not.toContain(VALUE);
  });

  it('of an app names the tenant that the app is in', () => {
    const parsed = wayIn({ kind: 'client-secret', ...whole }, POLICY, undefined);
    expect(parsed).toMatchObject({ ok: false, error: { type: 'invalid', target: 'body.tenantId' } });
  });
});
