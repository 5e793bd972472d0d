// What is sealed is a format that is stored: if it changed, no seal that is stored would verify any more.
import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Wrap } from '../../shared/domain/company-key.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { lengthPrefixed } from '../../shared/domain/length-prefixed.ts';
import {
  sealedBytesOfConnection,
  sealedBytesOfMove,
  sealedBytesOfWrap,
  sealVerifies,
} from '../../shared/domain/seal.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';

const CONTEXT = { companyId: 'acme', keyringId: 'default', version: 7 };
const TENANT = '22222222-2222-4222-8222-222222222222';
const HOST = 'contoso.vault.azure.net';
const SHA256_OF_THREE_ZEROS = '709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c';
const wrap: Omit<Wrap, 'seal'> = {
  ref: { provider: 'azure-key-vault', connectionId: 'contoso' },
  host: HOST,
  keyName: 'k',
  tenantId: TENANT,
  keyId: `https://${HOST}/keys/k/1`,
  algorithm: 'RSA-OAEP-256',
  ciphertext: 'AAAA',
  commitment: 'CCCC',
};
const connection: Omit<Connection, 'seal'> = {
  provider: 'azure-key-vault',
  connectionId: 'contoso',
  host: HOST,
  keyName: 'k',
  tenantId: TENANT,
  credential: { kind: 'federated', clientId: '33333333-3333-4333-8333-333333333333' },
  usedBy: ['keyring|default'],
  createdAt: '2026-01-01T00:00:00.000Z',
  keySeen: true,
};
const ofWrap = ['acme', 'default', '7', 'azure-key-vault', 'contoso', HOST, 'k', TENANT, wrap.keyId, 'RSA-OAEP-256'];

describe('what is sealed', () => {
  it('of a wrap is its place, its provider, where it leads, the hash of its ciphertext, what it commits to, and whether it is a guard', () => {
    const texts = ['keyswitch.seal.wrap.1', ...ofWrap, SHA256_OF_THREE_ZEROS, 'CCCC'];
    expect(sealedBytesOfWrap(CONTEXT, wrap)).toEqual(lengthPrefixed([...texts, '']));
    expect(sealedBytesOfWrap(CONTEXT, { ...wrap, guard: true })).toEqual(lengthPrefixed([...texts, 'guard']));
  });

  it('of a wrap by the vendor’s own key names no connection', () => {
    const texts = ['keyswitch.seal.wrap.1', ...ofWrap, SHA256_OF_THREE_ZEROS, 'CCCC', ''];
    const managed = texts.with(4, 'managed').with(5, '');
    expect(sealedBytesOfWrap(CONTEXT, { ...wrap, ref: { provider: 'managed' } })).toEqual(lengthPrefixed(managed));
  });

  it('of a connection is everything that decides where something is sent, and by whom', () => {
    const texts = [
      'acme',
      'azure-key-vault',
      'contoso',
      HOST,
      'k',
      TENANT,
      '',
      'federated',
      '33333333-3333-4333-8333-333333333333',
    ];
    const expected = lengthPrefixed(['keyswitch.seal.connection.1', ...texts]);
    expect(sealedBytesOfConnection('acme', connection)).toEqual(expected);
    const marked = { ...connection, usedBy: [], keySeen: false };
    expect(sealedBytesOfConnection('acme', marked)).toEqual(expected);
  });

  it('of a connection whose vault was moved is where it was before, too; of a consent to a move, all of that, where to and by whom', () => {
    const texts = [
      'acme',
      'azure-key-vault',
      'contoso',
      HOST,
      'k',
      TENANT,
      'a b',
      'federated',
      '33333333-3333-4333-8333-333333333333',
    ];
    const moved = { ...connection, movedFrom: ['a', 'b'] };
    expect(sealedBytesOfConnection('acme', moved)).toEqual(lengthPrefixed(['keyswitch.seal.connection.1', ...texts]));
    const move = { tenantId: 'c', grantedAt: '2026-01-01T00:00:00.000Z', adminId: 'c/ada' };
    expect(sealedBytesOfMove('acme', moved, move)).toEqual(
      lengthPrefixed(['keyswitch.seal.move.1', ...texts, 'c', '2026-01-01T00:00:00.000Z', 'c/ada']),
    );
  });

  it('of a connection whose tenant is not known yet has an empty one', () => {
    const { tenantId: _, ...unpinned } = connection;
    expect(sealedBytesOfConnection('acme', unpinned)).toEqual(
      sealedBytesOfConnection('acme', { ...connection, tenantId: '' }),
    );
  });
});

describe('a seal', () => {
  const { privateKey, publicKey } = keyFixture('ec-p256-1');
  const bytes = sealedBytesOfConnection('acme', connection);
  const signed = (dsaEncoding: 'ieee-p1363' | 'der'): string =>
    sign('sha256', bytes, { key: privateKey, dsaEncoding }).toString('base64url');
  const seal = { keyVersion: '1', signature: signed('ieee-p1363') };

  it('verifies what was signed, and nothing else', () => {
    expect(sealVerifies({ bytes, seal, publicKey })).toBe(true);
    const others = sealedBytesOfConnection('other', connection);
    expect(sealVerifies({ bytes: others, seal, publicKey })).toBe(false);
  });

  it.each([
    ['in another encoding', signed('der')],
    ['cut off', seal.signature.slice(0, -4)],
    ['of nothing', ''],
  ])('%s does not verify', (_, signature) => {
    expect(sealVerifies({ bytes, seal: { ...seal, signature }, publicKey })).toBe(false);
  });
});
