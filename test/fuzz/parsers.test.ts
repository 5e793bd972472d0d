// Properties of what reads texts of strangers: vault URIs, key names, challenges, Entra's words and key ids.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readKeyBundle,
  readOperationKeyId,
  sameKeyId,
  vaultKeyOf,
} from '../../shared/providers/azure-key-vault/client/vault-answers.ts';
import { readChallenge } from '../../shared/providers/azure-key-vault/client/vault-challenge.ts';
import { aadstsOf, classifyEntraError } from '../../shared/identity/entra/answers.ts';
import { isGuid } from '../../shared/domain/ids.ts';
import { isKeyName, parseKeyName } from '../../shared/providers/azure-key-vault/input/key-name.ts';
import { parseKeyId } from '../../shared/domain/provider.ts';
import { classifyVaultAnswer } from '../../shared/providers/azure-key-vault/answers.ts';
import { afterLook } from '../../shared/domain/health.ts';
import { parseVaultUri } from '../../shared/providers/azure-key-vault/input/vault-uri.ts';
import { hostileJson, hostileText } from './hostile.ts';

const RUNS = { numRuns: 300 };
const NOW = new Date('2026-01-01T00:00:00.000Z');
const POLICY = { allowedSuffixes: ['vault.azure.net', 'vault.azure.cn'] };

/** Texts made of the pieces that matter to a grammar, and of anything else. */
const made = (...pieces: string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: hostileText }), {
      maxLength: 9,
    })
    .map((parts) => parts.join(''));

const keyName = fc.stringMatching(/^[0-9A-Za-z-]{1,127}$/);
const vaultName = fc.stringMatching(/^[a-z][a-z0-9-]{1,22}[a-z0-9]$/).filter((name) => !name.includes('--'));
const host = fc.tuple(vaultName, fc.constantFrom(...POLICY.allowedSuffixes)).map((parts) => parts.join('.'));

describe('vault URIs', () => {
  test('of a vault are read, in any case, with blanks around and one slash behind', () => {
    fc.assert(
      fc.property(
        host,
        fc.boolean(),
        fc.constantFrom('', '/'),
        fc.constantFrom('', ' ', '\t'),
        (name, upper, slash, blank) => {
          const text = `https://${name}${slash}`;
          const parsed = parseVaultUri(blank + (upper ? text.toUpperCase() : text) + blank, POLICY);
          expect(parsed).toEqual({ ok: true, value: { host: name } });
        },
      ),
      RUNS,
    );
  });

  test('that are accepted lead to a vault of an allowed cloud for every URL parser, and nowhere else', () => {
    const text = made(
      'https://',
      'http:',
      '//',
      'a-b',
      'evil.example',
      '.vault.azure.net',
      '.',
      '@',
      ':443',
      '/',
      '?',
      '#',
      '\\',
      ' ',
      '/keys/',
      'xn--',
    );
    fc.assert(
      fc.property(text, (uri) => {
        const parsed = parseVaultUri(uri, POLICY);
        if (!parsed.ok) {
          expect(parsed.error.kind).toBe('input');
          const offered = parsed.error.facts.suggestedVaultUri;
          if (offered !== undefined) expect(parseVaultUri(offered, POLICY).ok).toBe(true);
          return;
        }
        expect(parsed.value.host).toMatch(/^[a-z0-9-]{3,24}\.vault\.azure\.(net|cn)$/);
        const { hostname, protocol, username, port } = new URL(uri);
        expect([hostname, protocol, username, port]).toEqual([parsed.value.host, 'https:', '', '']);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('key names', () => {
  test('are read as they are, without blanks around; anything else is refused as input', () => {
    fc.assert(
      fc.property(keyName, made('a', '/', 'https://h/keys/', '?', ' '), (name, text) => {
        expect(parseKeyName(` ${name}\t`)).toEqual({ ok: true, value: name });
        const parsed = parseKeyName(text);
        if (parsed.ok) expect(parsed.value).toBe(text.trim());
        else expect(parsed.error.code).toBe('key-name-invalid');
        expect(parsed.ok).toBe(isKeyName(text.trim()));
        const suggested = parsed.ok ? undefined : parsed.error.facts.suggestedKeyName;
        expect(suggested === undefined || isKeyName(suggested)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('key ids', () => {
  const version = fc.stringMatching(/^[0-9A-Za-z]{1,64}$/);

  test('are taken apart into what they were made of', () => {
    fc.assert(
      fc.property(host, keyName, version, (at, name, of) => {
        const keyId = `https://${at}/keys/${name}/${of}`;
        expect(parseKeyId(keyId)).toEqual({ host: at, keyName: name, version: of });
        const replied = `https://${at}/keys/${name.toUpperCase()}/${of}`;
        expect(sameKeyId(replied, { target: { host: at, keyName: name } })).toBe(keyId);
        expect(sameKeyId(keyId, { target: { host: `x${at}`, keyName: name } })).toBeUndefined();
        expect(sameKeyId(keyId, { target: { host: at, keyName: `${name}x` } })).toBeUndefined();
        expect(sameKeyId(keyId, { target: { host: at, keyName: name }, version: `${of}x` })).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('of strangers are read, or are none, and a host in one holds nothing but a host', () => {
    fc.assert(
      fc.property(made('https://', 'a.vault.azure.net', '/keys/', 'k', '/', '1', '@', '?', ':'), (text) => {
        const id = parseKeyId(text);
        if (id) expect(id.host).not.toMatch(/[/:@?#]/);
      }),
      RUNS,
    );
  });
});

describe('challenges', () => {
  test('of a vault are read, whatever the order and the other parameters', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.boolean(), fc.boolean(), (tenant, older, swapped) => {
        const authority = `${older ? 'authorization_uri' : 'authorization'}="https://login.microsoftonline.com/${tenant}"`;
        const resource = 'resource="https://vault.azure.net"';
        const parts = swapped ? [resource, 'scope="x"', authority] : [authority, resource];
        expect(readChallenge(`Bearer ${parts.join(', ')}`)).toEqual({
          tenantId: tenant,
          resource: 'https://vault.azure.net',
        });
      }),
      RUNS,
    );
  });

  test('of strangers are none, or name a tenant, a resource and claims that can be taken apart', () => {
    const tenant = '33333333-3333-4333-8333-333333333333';
    const header = made(
      'Bearer ',
      `authorization="https://login.microsoftonline.com/${tenant}"`,
      'authorization="',
      'resource="https://vault.azure.net"',
      'error="insufficient_claims"',
      'claims="e30="',
      'claims="W10="',
      ', ',
      '"',
      '=',
    ).map((text) => `Bearer ${text}`);
    fc.assert(
      fc.property(header, (text) => {
        const challenge = readChallenge(text);
        if (!challenge) return;
        expect(isGuid(challenge.tenantId)).toBe(true);
        expect(challenge.resource).not.toContain('"');
        if (challenge.claims !== undefined) expect(typeof JSON.parse(atob(challenge.claims))).toBe('object');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what Entra and vaults say', () => {
  const said = made(
    'AADSTS',
    'AADSTS700016',
    '65001',
    ': ',
    "presented assertion subject '",
    "'",
    'Correlation ID: ',
    'ENOTFOUND',
  );
  const status = fc.option(fc.integer({ min: -1, max: 1000 }), { nil: undefined });

  test('never throws, and is a denial only by a number, a status or a name that is known', () => {
    fc.assert(
      fc.property(said, status, (message, of) => {
        const found = classifyEntraError({ message, ...(of === undefined ? {} : { status: of }) }, {});
        if (found.kind === 'denied') expect(aadstsOf(message)).toBeDefined();
      }),
      RUNS,
    );
  });

  test('an AADSTS number is found wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 999_999_999 }),
        fc.stringMatching(/^[ a-z:]{0,20}$/),
        (number, around) => {
          expect(aadstsOf(`${around} AADSTS${number}: ${around}`)).toBe(number);
        },
      ),
      RUNS,
    );
  });

  test('a vault of no known words denies nothing but what it refuses with a code of its own, and revokes nothing', () => {
    fc.assert(
      fc.property(
        hostileText,
        hostileText,
        hostileText,
        fc.oneof(fc.constant(403), fc.integer({ min: 400, max: 499 }), fc.integer({ min: -1, max: 1000 })),
        (code, innerCode, message, of) => {
          const found = classifyVaultAnswer({ status: of, code, innerCode, message }, {});
          const isRefusal = of >= 400 && of <= 499 && ![401, 408, 429].includes(of);
          if (isRefusal) expect(found.code).toBe('vault-refused');
          else expect(found.kind).not.toBe('denied');
          const look = { outcome: 'failed', failure: found, warnings: [] } as const;
          expect(afterLook(afterLook(undefined, look, NOW), look, NOW).state).toBe('unreachable');
        },
      ),
      RUNS,
    );
  });

  test('an answer in JSON is read or is none', () => {
    fc.assert(
      fc.property(hostileJson, hostileJson, (key, attributes) => {
        const bundle = readKeyBundle(JSON.stringify({ key, attributes }));
        if (bundle) vaultKeyOf(bundle, 'id');
        expect(readOperationKeyId(JSON.stringify({ kid: key, value: attributes })) ?? '').toBeTypeOf('string');
      }),
      RUNS,
    );
  });
});
