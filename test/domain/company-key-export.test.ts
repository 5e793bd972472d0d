import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeExport,
  EXPORT_FORMAT,
  parseExport,
  type CompanyKeyExport,
} from '../../shared/domain/company-key-export.ts';
import { RESOURCE_ID } from '../../shared/domain/ids.ts';
import type { ProviderRef } from '../../shared/domain/provider.ts';
import { hostileJson } from '../fuzz/hostile.ts';

const CONTENT: CompanyKeyExport = {
  companyId: 'acme',
  keyringId: 'default',
  provider: { provider: 'azure-key-vault', connectionId: 'main' },
  keyId: 'https://contoso.vault.azure.net/keys/customer-key/1',
  madeAt: '2026-01-01T00:00:00.000Z',
  versions: [{ version: 2, companyKey: createSecretKey(Buffer.alloc(32, 7)) }],
};

const plain = (content: CompanyKeyExport): object => ({
  ...content,
  versions: content.versions.map(({ version, companyKey }) => ({ version, key: companyKey.export().toString('hex') })),
});

/** The export as it is written, with one member changed. */
function changed(change: Readonly<Record<string, unknown>>): Buffer {
  const written = JSON.parse(encodeExport(CONTENT).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...written, ...change }));
}

describe('an export', () => {
  it('says what it is, whose, and holds the key in base64url', () => {
    expect(JSON.parse(encodeExport(CONTENT).toString())).toEqual({
      format: EXPORT_FORMAT,
      companyId: 'acme',
      keyringId: 'default',
      provider: { provider: 'azure-key-vault', connectionId: 'main' },
      keyId: 'https://contoso.vault.azure.net/keys/customer-key/1',
      madeAt: '2026-01-01T00:00:00.000Z',
      versions: [{ version: 2, companyKey: Buffer.alloc(32, 7).toString('base64url') }],
    });
    expect(EXPORT_FORMAT).toBe('keyswitch.company-key-export.1');
  });

  it('comes back as it was made, whatever is in it', () => {
    const id = fc.stringMatching(RESOURCE_ID);
    const provider: fc.Arbitrary<ProviderRef> = fc.oneof(
      fc.constant({ provider: 'managed' as const }),
      id.map((connectionId) => ({ provider: 'azure-key-vault' as const, connectionId })),
    );
    const version = fc.record({
      version: fc.integer({ min: 1 }),
      companyKey: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => createSecretKey(bytes)),
    });
    const content = fc.record({
      companyId: id,
      keyringId: id,
      provider,
      keyId: fc.string({ unit: 'grapheme' }),
      madeAt: fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
        .map((date) => date.toISOString()),
      versions: fc.uniqueArray(version, { minLength: 1, maxLength: 3, selector: (one) => one.version }),
    });
    fc.assert(
      fc.property(content, (made) => {
        const parsed = parseExport(encodeExport(made));
        expect(parsed.ok && plain(parsed.value)).toEqual(plain(made));
      }),
    );
  });

  it('of another format is told from what is none', () => {
    expect(parseExport(changed({ format: 'keyswitch.company-key-export.2' }))).toEqual({
      ok: false,
      error: 'other-format',
    });
  });

  const key = Buffer.alloc(32, 7).toString('base64url');
  it.each([
    { format: 1 },
    { companyId: 'ACME' },
    { companyId: undefined },
    { keyringId: 'a|b' },
    { provider: { provider: 'Other' } },
    { provider: { connectionId: 'main' } },
    { provider: { provider: 'azure-key-vault', connectionId: '|' } },
    { provider: null },
    { keyId: 1 },
    { madeAt: '\u001b[2J' },
    { versions: [] },
    { versions: { 0: 1 } },
    { versions: [null] },
    { versions: [{ version: 0, companyKey: key }] },
    { versions: [{ version: 1.5, companyKey: key }] },
    { versions: [{ version: '1', companyKey: key }] },
    { versions: [{ version: 1, companyKey: Buffer.alloc(31, 7).toString('base64url') }] },
    { versions: [{ version: 1, companyKey: `${key}=` }] },
    { versions: [{ version: 1, companyKey: 7 }] },
    {
      versions: [
        { version: 1, companyKey: key },
        { version: 1, companyKey: key },
      ],
    },
  ])('with %j is none', (change) => {
    expect(parseExport(changed(change))).toEqual({ ok: false, error: 'malformed' });
  });

  it('is never made of arbitrary bytes or JSON, and nothing throws', () => {
    expect(parseExport(Buffer.of(0xff, 0x7b, 0x7d))).toEqual({ ok: false, error: 'malformed' });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          hostileJson.map((value) => Buffer.from(JSON.stringify(value))),
        ),
        (bytes) => {
          expect(parseExport(bytes).ok).toBe(false);
        },
      ),
    );
  });

  it('leaves no copy of the key behind that it could have overwritten', () => {
    const companyKey = createSecretKey(randomBytes(32));
    const exported: Buffer[] = [];
    const watched = { ...CONTENT.versions[0]!, companyKey };
    const take = companyKey.export.bind(companyKey);
    companyKey.export = ((): Buffer => {
      const bytes = take();
      exported.push(bytes);
      return bytes;
    }) as typeof companyKey.export;
    encodeExport({ ...CONTENT, versions: [watched] });
    expect(exported).toEqual([Buffer.alloc(32)]);
  });
});
