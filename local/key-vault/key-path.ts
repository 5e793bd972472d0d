// Which operation of the keys API a method and path mean. Names, versions and verbs are compared in any case, trailing
// and double slashes stand for "latest version". Pure.

export type VaultOperation =
  | 'create'
  | 'get'
  | 'list'
  | 'list-versions'
  | 'update'
  | 'delete'
  | 'wrapkey'
  | 'unwrapkey'
  | 'encrypt'
  | 'decrypt'
  | 'sign'
  | 'rotate'
  | 'import'
  | 'get-rotation-policy'
  | 'put-rotation-policy'
  | 'backup'
  | 'restore'
  | 'list-deleted'
  | 'get-deleted'
  | 'recover'
  | 'purge';

export interface KeyPath {
  readonly operation: VaultOperation | 'unknown';
  /** As it was written, empty for a list. */
  readonly keyName: string;
  /** Empty for the latest. */
  readonly version: string;
}

const VERBS: readonly string[] = ['wrapkey', 'unwrapkey', 'encrypt', 'decrypt', 'sign'];
/** What is done to a key as a whole. */
const OF_KEYS: readonly string[] = ['create', 'rotate', 'backup'];

export function readKeyPath(method: string, path: string): KeyPath {
  const segments = path.split('/').slice(1).map(decode);
  const [collection = '', keyName = '', third = '', fourth = ''] = segments;
  const at = (operation: KeyPath['operation'], version = ''): KeyPath => ({ operation, keyName, version });
  if (segments.length > 4) return at('unknown');
  switch (collection.toLowerCase()) {
    case 'keys':
      return at(...readKey(method, keyName, third, fourth));
    case 'deletedkeys':
      return at(fourth === '' ? readDeleted(method, keyName, third.toLowerCase()) : 'unknown');
    default:
      return at('unknown');
  }
}

const POLICY_BY_METHOD: Readonly<Record<string, VaultOperation>> = {
  GET: 'get-rotation-policy',
  PUT: 'put-rotation-policy',
};

type Found = [operation: KeyPath['operation'], version?: string];

function readKey(method: string, keyName: string, third: string, fourth: string): Found {
  const word = third.toLowerCase();
  if (keyName === '') return [method === 'GET' && third === '' ? 'list' : 'unknown'];
  if (fourth !== '') {
    const verb = fourth.toLowerCase();
    return method === 'POST' && VERBS.includes(verb) ? [verb as VaultOperation, word] : ['unknown'];
  }
  if (word === 'rotationpolicy') return [POLICY_BY_METHOD[method] ?? 'unknown'];
  if (word === 'backup' && method !== 'POST') return ['unknown'];
  switch (method) {
    case 'GET':
      return word === 'versions' ? ['list-versions'] : ['get', word];
    case 'POST':
      // A verb without a version is about the latest: SDKs for Go and Java leave the empty segment out.
      if (keyName.toLowerCase() === 'restore' && word === '') return ['restore'];
      return [OF_KEYS.includes(word) || VERBS.includes(word) ? (word as VaultOperation) : 'unknown'];
    case 'PUT':
      return [word === '' ? 'import' : 'unknown'];
    case 'PATCH':
      return ['update', word];
    case 'DELETE':
      return [word === '' ? 'delete' : 'unknown'];
    default:
      return ['unknown'];
  }
}

function readDeleted(method: string, keyName: string, verb: string): KeyPath['operation'] {
  if (keyName === '') return method === 'GET' && verb === '' ? 'list-deleted' : 'unknown';
  if (method === 'GET' && verb === '') return 'get-deleted';
  if (method === 'POST' && verb === 'recover') return 'recover';
  return method === 'DELETE' && verb === '' ? 'purge' : 'unknown';
}

/** A segment that is no percent-encoding is no name either; it is kept, to be not found. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
