import { describe, expect, it } from 'vitest';
import { readKeyPath } from '../../../local/key-vault/key-path.ts';

describe('the path of a keys request', () => {
  it.each([
    ['GET', '/keys', 'list', '', ''],
    ['GET', '/keys/', 'list', '', ''],
    ['GET', '/keys/main', 'get', 'main', ''],
    ['GET', '/keys/main/', 'get', 'main', ''],
    ['GET', '/Keys/main/ABC', 'get', 'main', 'abc'],
    ['GET', '/keys/main/versions', 'list-versions', 'main', ''],
    ['POST', '/keys/main/create', 'create', 'main', ''],
    ['PATCH', '/keys/main/', 'update', 'main', ''],
    ['PATCH', '/keys/main/abc', 'update', 'main', 'abc'],
    ['DELETE', '/keys/main', 'delete', 'main', ''],
    ['POST', '/keys/main//wrapkey', 'wrapkey', 'main', ''],
    ['POST', '/keys/main/abc/unwrapKey', 'unwrapkey', 'main', 'abc'],
    ['POST', '/keys/m%61in/abc/SIGN', 'sign', 'main', 'abc'],
    ['POST', '/keys/main/wrapkey', 'wrapkey', 'main', ''],
    ['POST', '/keys/main/unwrapKey', 'unwrapkey', 'main', ''],
    ['POST', '/keys/main/sign', 'sign', 'main', ''],
    ['POST', '/keys/main/rotate', 'rotate', 'main', ''],
    ['PUT', '/keys/main', 'import', 'main', ''],
    ['GET', '/keys/main/rotationpolicy', 'get-rotation-policy', 'main', ''],
    ['PUT', '/keys/main/rotationpolicy', 'put-rotation-policy', 'main', ''],
    ['POST', '/keys/main/backup', 'backup', 'main', ''],
    ['POST', '/keys/restore', 'restore', 'restore', ''],
    ['POST', '/keys/main/abc/decrypt', 'decrypt', 'main', 'abc'],
    ['GET', '/deletedkeys', 'list-deleted', '', ''],
    ['GET', '/deletedkeys/', 'list-deleted', '', ''],
    ['GET', '/deletedkeys/main', 'get-deleted', 'main', ''],
    ['POST', '/deletedkeys/main/recover', 'recover', 'main', ''],
    ['DELETE', '/deletedkeys/main', 'purge', 'main', ''],
  ])('%s %s means %s', (method, path, operation, keyName, version) => {
    expect(readKeyPath(method, path)).toEqual({ operation, keyName, version });
  });

  it.each([
    ['POST', '/keys/main'],
    ['DELETE', '/keys/main/abc'],
    ['GET', '/keys/main/abc/wrapkey'],
    ['POST', '/keys/main/abc/attest'],
    ['GET', '/secrets/main'],
    ['GET', '/keys/main/abc/more/still'],
    ['GET', '/keys/main/backup'],
    ['PUT', '/keys/main/abc'],
    ['PATCH', '/keys/main/rotationpolicy'],
    ['GET', '/keys/main/rotate/wrapkey'],
    ['POST', '/deletedkeys'],
    ['GET', '/%ff'],
  ])('%s %s means nothing', (method, path) => {
    expect(readKeyPath(method, path).operation).toBe('unknown');
  });
});
