// What a diagnosis keeps of an answer: the facts, for whoever mends it, and the service's own words, for the vendor.
import { describe, expect, it } from 'vitest';
import { classifyEntraError } from '../../shared/identity/entra/answers.ts';
import type { Failure, FailureFacts } from '../../shared/domain/failure.ts';
import { classifyNoAnswer as classifyNoAnswerOfEntra } from '../../shared/identity/entra/no-answer.ts';
import { APP_DISABLED } from '../../shared/identity/entra/words/consent-failures.ts';
import { PERSON_BLOCKED } from '../../shared/identity/entra/words/token-failures.ts';
import { classifyNoAnswer } from '../../shared/providers/azure-key-vault/no-answer.ts';
import { microsoftRefusal } from '../../shared/identity/entra/sign-in-answer.ts';
import { googleRefusal } from '../../shared/identity/google/sign-in-answer.ts';
import { callbackErrorOf } from '../../shared/identity/oauth-answer.ts';
import { classifyVaultAnswer, type VaultAnswer } from '../../shared/providers/azure-key-vault/answers.ts';

const FACTS = { vaultHost: 'contoso.vault.azure.net', keyName: 'main-key' };
const TENANT = '99999999-abcd-4000-8000-000000000009';
const CORRELATION = '55555555-0000-4000-8000-000000000005';
const told = ({ code, facts, service }: Failure): unknown => ({ code, facts, service });

describe('a vault’s answer', () => {
  const detailOf = (answer: VaultAnswer): FailureFacts['detail'] => classifyVaultAnswer(answer, FACTS).facts.detail;

  it.each<[string, VaultAnswer, string | undefined]>([
    [
      'the permission that an access policy lacks',
      { status: 403, innerCode: 'AccessDenied', message: 'does not have keys get, unwrap key permission on key vault' },
      'the missing key permission is get, unwrap key',
    ],
    ['no permission where none is named', { status: 403, innerCode: 'AccessDenied', message: 'No.' }, undefined],
    [
      'the action that a role lacks',
      { status: 403, innerCode: 'ForbiddenByRbac', message: "Action: 'Microsoft.KeyVault/vaults/keys/read'" },
      'Microsoft.KeyVault/vaults/keys/read',
    ],
    ['no action where none is named', { status: 403, innerCode: 'ForbiddenByRbac', message: 'No.' }, undefined],
    [
      'whose tenant our token was of',
      { status: 401, message: `AKV10032: found https://sts.windows.net/${TENANT.toUpperCase()}/.` },
      `our token was of ${TENANT}`,
    ],
    ['no tenant where none is named', { status: 401, message: 'AKV10032: Invalid issuer.' }, undefined],
    ['the status of an outage', { status: 503, code: 'X' }, 'it answered 503'],
    ['the code of what nobody knows', { status: 302, code: 'Teapot' }, '302 Teapot'],
    ['the inner code before the outer', { status: 403, code: 'Forbidden', innerCode: 'New' }, '403 New'],
    ['the status alone where there is no code', { status: 302 }, '302'],
  ])('tells %s', (_what, answer, detail) => {
    expect(detailOf(answer)).toBe(detail);
  });

  it.each<[string, VaultAnswer, string]>([
    [
      'by its inner code, whatever its text says',
      { status: 403, innerCode: 'ForbiddenByFirewall', message: 'Operation is not allowed on a disabled key.' },
      'vault-firewall',
    ],
    [
      'by its text where the inner code is new',
      { status: 403, innerCode: 'New', message: 'It is not allowed on a disabled key.' },
      'key-disabled',
    ],
    ['by its code alone', { status: 404, code: 'KeyNotFound' }, 'key-not-found'],
    ['by its inner code alone', { status: 404, innerCode: 'KeyNotFound' }, 'key-not-found'],
    ['by its text alone', { status: 404, message: 'k was not found in this key vault' }, 'key-not-found'],
    ['as an outage up to 599', { status: 599 }, 'vault-unreachable'],
    ['as an error from 600 on', { status: 600 }, 'vault-error'],
  ])('is understood %s', (_how, answer, code) => {
    expect(classifyVaultAnswer(answer, FACTS).code).toBe(code);
  });

  it('is kept as it was said, and nothing is made up', () => {
    const said = { status: 500, code: 'Outer', innerCode: 'Inner', message: 'Words.', correlationId: CORRELATION };
    const { service } = classifyVaultAnswer(said, FACTS);
    expect(service).toEqual({ status: 500, code: 'Inner', message: 'Words.', correlationId: CORRELATION });
    const bare = classifyVaultAnswer({ status: 429 }, FACTS);
    expect(told(bare)).toEqual({ code: 'throttled', facts: FACTS, service: { status: 429 } });
  });

  it('names callers in lower case, as commands want them', () => {
    const id = 'ABCDEFAB-0000-4000-8000-00000000000A';
    const message = `Caller: appid=${id};oid=${id};`;
    const { facts } = classifyVaultAnswer({ status: 403, innerCode: 'ForbiddenByRbac', message }, FACTS);
    expect(facts).toMatchObject({ appId: id.toLowerCase(), principalId: id.toLowerCase() });
  });
});

describe('no answer', () => {
  it.each<[string, Parameters<typeof classifyNoAnswer>[0], unknown]>([
    [
      'by its code',
      { errorCode: 'ECONNRESET' },
      { code: 'vault-unreachable', facts: { ...FACTS, detail: 'ECONNRESET' }, service: { code: 'ECONNRESET' } },
    ],
    [
      'by the code in its text',
      { message: 'connect ECONNREFUSED 10.0.0.1' },
      {
        code: 'vault-unreachable',
        facts: { ...FACTS, detail: 'ECONNREFUSED' },
        service: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.0.0.1' },
      },
    ],
    [
      'by its text, where that has no code',
      { message: 'socket hang up' },
      { code: 'vault-unreachable', facts: FACTS, service: { message: 'socket hang up' } },
    ],
    [
      'by its own code before one in its text',
      { errorCode: 'EPIPE', message: 'after ENOTFOUND' },
      {
        code: 'vault-unreachable',
        facts: { ...FACTS, detail: 'EPIPE' },
        service: { code: 'EPIPE', message: 'after ENOTFOUND' },
      },
    ],
    [
      'as a name that does not exist, which its code says already',
      { errorCode: 'ENOTFOUND' },
      { code: 'vault-not-found', facts: FACTS, service: { code: 'ENOTFOUND' } },
    ],
  ])('is told %s', (_how, input, expected) => {
    expect(told(classifyNoAnswer(input, FACTS))).toEqual(expected);
  });

  it('of Entra is told by a name that does not exist', () => {
    expect(told(classifyNoAnswerOfEntra({ errorCode: 'ENOTFOUND' }, FACTS))).toEqual({
      code: 'entra-unreachable',
      facts: { ...FACTS, detail: 'ENOTFOUND' },
      service: { code: 'ENOTFOUND' },
    });
  });

  it('of which nothing is known tells nothing', () => {
    expect(classifyNoAnswer({}, FACTS)).toMatchObject({ code: 'vault-error', facts: FACTS });
    expect(classifyNoAnswer({}, FACTS).service ?? {}).toEqual({});
  });
});

describe('Entra’s answer', () => {
  const FOR = { tenantId: TENANT };

  it.each<[string, Parameters<typeof classifyEntraError>[0], unknown]>([
    [
      'the number of an error that nobody knows',
      { aadsts: 500_099, message: 'Words.' },
      {
        code: 'entra-refused',
        facts: { ...FOR, detail: 'AADSTS500099' },
        service: { code: 'AADSTS500099', message: 'Words.' },
      },
    ],
    [
      'nothing of one without a number',
      { message: 'Words.' },
      { code: 'entra-error', facts: FOR, service: { message: 'Words.' } },
    ],
    [
      'the status',
      { status: 429, message: 'Words.' },
      { code: 'entra-throttled', facts: FOR, service: { status: 429, message: 'Words.' } },
    ],
    [
      'the number before the status',
      { aadsts: 65001, status: 503, message: 'Words.' },
      { code: 'consent-required', facts: FOR, service: { status: 503, code: 'AADSTS65001', message: 'Words.' } },
    ],
    [
      'that the app was switched off',
      { aadsts: 7000112, message: 'Words.' },
      {
        code: 'consent-required',
        facts: { ...FOR, detail: APP_DISABLED },
        service: { code: 'AADSTS7000112', message: 'Words.' },
      },
    ],
    [
      'the correlation id that came with it before one in its text',
      { message: `Correlation ID: ${TENANT}`, correlationId: CORRELATION },
      {
        code: 'entra-error',
        facts: FOR,
        service: { message: `Correlation ID: ${TENANT}`, correlationId: CORRELATION },
      },
    ],
  ])('tells %s', (_what, error, expected) => {
    expect(told(classifyEntraError(error, FOR))).toEqual(expected);
  });

  it.each([
    [408, 'entra-unreachable'],
    [499, 'entra-error'],
    [500, 'entra-unreachable'],
    [599, 'entra-unreachable'],
    [600, 'entra-error'],
  ])('of status %i alone means %s', (status, code) => {
    expect(classifyEntraError({ status, message: '' }, FOR).code).toBe(code);
  });

  it('with a number is not taken for a managed identity’s or a network’s, whatever its text says', () => {
    for (const message of ['managed identity', 'socket hang up', 'endpoints_resolution_error']) {
      expect(classifyEntraError({ aadsts: 500_099, message }, FOR).code).toBe('entra-refused');
    }
  });

  it('says what of a federated credential does not fit only where that is what is wrong, and is said', () => {
    const message = "presented assertion issuer 'https://example'";
    const detail = (aadsts: number, text: string): unknown =>
      classifyEntraError({ aadsts, message: text }, FOR).facts.detail;
    expect(detail(700211, message)).toBe('no credential has the issuer https://example');
    expect(detail(700211, 'no words')).toBeUndefined();
    expect(detail(65001, message)).toBeUndefined();
  });
});

describe('the error of a sign-in', () => {
  const FOR = { tenantId: TENANT };

  it.each<[string, string, string | undefined, FailureFacts]>([
    ['the number', 'access_denied', 'AADSTS50105: Words.', { ...FOR, detail: 'AADSTS50105' }],
    ['OAuth’s own code', 'login_required', undefined, { ...FOR, detail: 'login_required' }],
    ['that a policy stopped a person', 'access_denied', 'AADSTS53003: Words.', { ...FOR, detail: PERSON_BLOCKED }],
    ['no more than is known', 'access_denied', undefined, FOR],
    ['no more than is known by its number', 'access_denied', 'AADSTS65004: Words.', FOR],
    ['an unknown code', 'unheard_of', undefined, { ...FOR, detail: 'unheard_of' }],
    ['that a code is none', 'Un heard', undefined, { ...FOR, detail: 'no known code' }],
    ['that a code with something before it is none', '!unheard_of', undefined, { ...FOR, detail: 'no known code' }],
    ['that a code with something behind it is none', 'unheard_of!', undefined, { ...FOR, detail: 'no known code' }],
  ])('at Microsoft tells %s', (_what, error, description, facts) => {
    const said = { error, ...(description === undefined ? {} : { description }) };
    expect(microsoftRefusal(said, FOR).facts).toEqual(facts);
  });

  it('at Microsoft is kept for the vendor as it was said', () => {
    const description = `AADSTS65004: Words. Correlation ID: ${CORRELATION}`;
    expect(microsoftRefusal({ error: 'access_denied', description }, FOR).service).toEqual({
      code: 'AADSTS65004',
      message: `access_denied: ${description}`,
      correlationId: CORRELATION,
    });
    expect(microsoftRefusal({ error: 'access_denied' }, FOR).service).toEqual({
      code: 'access_denied',
      message: 'access_denied: ',
    });
  });

  it.each<[string, string, FailureFacts]>([
    ['which rule stopped it', 'admin_policy_enforced', { detail: 'admin_policy_enforced' }],
    ['whose client it is', 'invalid_client', { detail: "Google does not accept the vendor's OAuth client" }],
    ['an unknown code', 'unheard_of', { detail: 'unheard_of' }],
    ['no more than is known', 'access_denied', {}],
  ])('at Google tells %s', (_what, error, facts) => {
    const found = googleRefusal({ error, description: 'Words.' });
    expect(found.facts).toEqual(facts);
    expect(found.service).toEqual({ code: error, message: `${error}: Words.` });
    expect(googleRefusal({ error }).service?.message).toBe(`${error}: `);
  });

  it('without a description has none', () => {
    expect(callbackErrorOf('error=access_denied')).toEqual({ error: 'access_denied' });
  });
});
