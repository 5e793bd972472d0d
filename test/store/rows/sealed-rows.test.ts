// A row that says where something is sent is read whole or not at all: what cannot be read is treated as forged.
import { describe, expect, it } from 'vitest';
import type { CompanyKeyRow, Wrap } from '../../../shared/domain/company-key.ts';
import type { Connection } from '../../../shared/domain/connection.ts';
import type { Cells } from '../../../shared/store/rows/cells.ts';
import {
  companyKeyCells,
  connectionCells,
  readCompanyKey,
  readConnection,
} from '../../../shared/store/rows/sealed-rows.ts';

const AT = '2026-01-01T00:00:00.000Z';
const HOST = 'contoso.vault.azure.net';
const SEAL = { keyVersion: '1', signature: 'AAAA' };
const PLACE = { companyId: 'acme', keyringId: 'default', version: 2 };
const CONTOSO = { companyId: 'acme', connectionId: 'contoso' };
const wrap: Wrap = {
  ref: { provider: 'azure-key-vault', connectionId: 'contoso' },
  host: HOST,
  keyName: 'k',
  tenantId: 't',
  keyId: `https://${HOST}/keys/k/1`,
  algorithm: 'RSA-OAEP-256',
  ciphertext: 'AAAA',
  commitment: 'CCCC',
  seal: SEAL,
};
const managed: Wrap = { ...wrap, ref: { provider: 'managed' }, guard: true };
const row: CompanyKeyRow = { ...PLACE, wraps: [wrap, managed], createdAt: AT };

describe('a company key', () => {
  const read = (change: Cells): CompanyKeyRow | undefined =>
    readCompanyKey({ ...companyKeyCells(row), ...change }, PLACE);
  const readWraps = (...wraps: readonly unknown[]): CompanyKeyRow | undefined => read({ wraps: JSON.stringify(wraps) });

  it('comes back as it was written', () => {
    expect(read({})).toEqual(row);
  });

  it('is of the place where it was found, whatever it says itself', () => {
    expect(readCompanyKey(companyKeyCells(row), { ...PLACE, version: 3 })).toEqual({ ...row, version: 3 });
  });

  it.each([
    ['no wraps', { wraps: undefined }],
    ['wraps that are no list', { wraps: '{}' }],
    ['no time', { createdAt: undefined }],
    ['another format', { format: 2 }],
  ])('with %s cannot be read', (_, change) => {
    expect(read(change)).toBeUndefined();
  });

  it.each([
    ['that is a list', []],
    ['that is nothing', null],
    ['of no provider', { ...wrap, ref: undefined }],
    ['of a provider that is a text', { ...wrap, ref: 'managed' }],
    ['of a provider without a name', { ...wrap, ref: { connectionId: 'contoso' } }],
    ['of a connection that is a number', { ...wrap, ref: { ...wrap.ref, connectionId: 1 } }],
    ['without a seal', { ...wrap, seal: undefined }],
    ['with a seal by no key', { ...wrap, seal: { signature: 'AAAA' } }],
    ['with a seal that is not signed', { ...wrap, seal: { keyVersion: '1' } }],
    ['by no algorithm', { ...wrap, algorithm: undefined }],
    ['that leads nowhere', { ...wrap, host: undefined }],
    ['of a key without a name', { ...wrap, keyName: undefined }],
    ['of no tenant', { ...wrap, tenantId: 1 }],
    ['of no key', { ...wrap, keyId: null }],
    ['of nothing', { ...wrap, ciphertext: 7 }],
    ['that commits to nothing', { ...wrap, commitment: undefined }],
    ['that is a guard by a word', { ...wrap, guard: 'true' }],
    ['that says of itself that it is none', { ...wrap, guard: false }],
  ])('with one wrap %s cannot be read, though the other could', (_, malformed) => {
    expect(readWraps(managed, malformed)).toBeUndefined();
  });

  it('takes over nothing from a wrap that does not belong there', () => {
    const more = { more: 1 };
    const strange = { ...wrap, ...more, ref: { ...wrap.ref, ...more }, seal: { ...SEAL, ...more } };
    expect(readWraps(strange, { ...managed, ref: { provider: 'managed', ...more } })).toEqual(row);
  });
});

const connection: Connection = {
  provider: 'azure-key-vault',
  connectionId: 'contoso',
  host: HOST,
  keyName: 'k',
  tenantId: 't',
  credential: { kind: 'federated', clientId: 'c' },
  seal: SEAL,
  usedBy: ['keyring|default'],
  createdAt: AT,
  roleAssignedAt: AT,
  consent: { grantedAt: AT, adminId: 't/ada', seal: SEAL },
  keySeen: true,
};

describe('a connection', () => {
  const read = (change: Cells): Connection | undefined =>
    readConnection({ ...connectionCells(connection), ...change }, CONTOSO);

  it('comes back as it was written', () => {
    expect(read({})).toEqual(connection);
  });

  it('whose vault was moved comes back so, and with a consent to its move', () => {
    const moved = {
      ...connection,
      movedFrom: ['a', 'b'],
      move: { tenantId: 'c', grantedAt: AT, adminId: 'c/ada', seal: SEAL },
    };
    expect(readConnection(connectionCells(moved), CONTOSO)).toEqual(moved);
  });

  it.each([
    { move: 'x' },
    { move: JSON.stringify({ grantedAt: AT, adminId: 'c/ada', seal: SEAL }) },
    { move: JSON.stringify({ tenantId: 'c', grantedAt: AT, adminId: 'c/ada' }) },
    { movedFrom: 'x' },
    { movedFrom: '[7]' },
    { movedFrom: '{}' },
  ])('with %j is not one that we wrote', (change) => {
    expect(read(change)).toBeUndefined();
  });

  it('is the one that was asked for, whatever it says itself', () => {
    expect(read({ connectionId: 'fabrikam' })).toEqual(connection);
  });

  it('that was just made has no tenant, no grant, and a key that nobody has seen', () => {
    const { tenantId: _, roleAssignedAt: _role, consent: _consent, ...rest } = connection;
    const made = { ...rest, keySeen: false };
    expect(connectionCells(made)).toMatchObject({ tenantId: '', roleAssignedAt: '', consent: '' });
    expect(readConnection(connectionCells(made), CONTOSO)).toEqual(made);
  });

  it.each(['x', '[]', '{}', JSON.stringify({ grantedAt: AT, adminId: 't/ada' })])(
    'whose consent is %s is not one that we wrote',
    (consent) => {
      expect(read({ consent })).toBeUndefined();
    },
  );

  it('whose key was seen by nobody knows when has not been seen', () => {
    expect(read({ keySeen: 'true' })?.keySeen).toBe(false);
  });

  it('is used by whatever is named by a text', () => {
    expect(read({ usedBy: '["keyring|default",7,null]' })).toEqual(connection);
  });

  it.each([
    ['no host', { host: undefined }],
    ['no key', { keyName: undefined }],
    ['no kind of credential', { credentialKind: undefined }],
    ['no app', { clientId: undefined }],
    ['no seal', { seal: '' }],
    ['users that are no list', { usedBy: '{}' }],
    ['no time', { createdAt: undefined }],
    ['another format', { format: 2 }],
  ])('with %s cannot be read', (_, change) => {
    expect(read(change)).toBeUndefined();
  });
});
