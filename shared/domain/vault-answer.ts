// What a Key Vault's refusal means. Pure, and never fails: an answer that is not known is `vault-error`, which is never a
// revocation. The texts are Azure's (docs/azure.md); the inner code decides where there is one, the text where there is none.
import { failure } from './failure-catalogue.ts';
import type { Failure, FailureCode, FailureFacts } from './failure.ts';

export interface VaultAnswer {
  readonly status: number;
  /** `error.code` of the body. */
  readonly code?: string;
  /** `error.innererror.code`; the SDK calls it `innerError`. */
  readonly innerCode?: string;
  readonly message?: string;
  /** `x-ms-request-id`. */
  readonly correlationId?: string;
}

/** `facts` are those known before the call; the answer adds who was refused what, where, and from which address. */
export function classifyVaultAnswer(answer: VaultAnswer, facts: FailureFacts): Failure {
  const code = codeOf(answer);
  const told = { ...facts, ...factsInMessage(answer.message ?? '') };
  const detail = DETAIL[code]?.(answer, answer.message ?? '');
  const service = {
    status: answer.status,
    ...optional('code', answer.innerCode ?? answer.code),
    ...optional('message', answer.message),
    ...optional('correlationId', answer.correlationId),
  };
  return failure(code, detail === undefined ? told : { ...told, detail }, service);
}

function codeOf(answer: VaultAnswer): FailureCode {
  const { status } = answer;
  if (status === 401) return /\bAKV10032\b/.test(answer.message ?? '') ? 'wrong-entra-tenant' : 'vault-error';
  if (status === 403) return forbiddenCode(answer);
  if (status === 404) return notFoundCode(answer);
  if (status === 429) return 'throttled';
  if (status === 408 || (status >= 500 && status <= 599)) return 'vault-unreachable';
  return 'vault-error';
}

const FORBIDDEN_BY_INNER_CODE: Readonly<Record<string, FailureCode>> = {
  ForbiddenByRbac: 'access-denied-rbac',
  ForbiddenByPolicy: 'access-denied-policy',
  AccessDenied: 'access-denied-policy',
  ForbiddenByFirewall: 'vault-firewall',
  ForbiddenByConnection: 'vault-private-only',
  KeyDisabled: 'key-disabled',
  KeyOperationForbidden: 'key-operation-not-permitted',
};

const FORBIDDEN_BY_TEXT: readonly (readonly [RegExp, FailureCode])[] = [
  [/Caller is not authorized to perform action on resource/i, 'access-denied-rbac'],
  [/does not have keys [\w ,]{1,60} permission on key vault/i, 'access-denied-policy'],
  [/Client address is not authorized/i, 'vault-firewall'],
  [/Public network access is disabled|not an approved private link/i, 'vault-private-only'],
  [/is not allowed on a disabled key/i, 'key-disabled'],
  [/is not permitted on this key/i, 'key-operation-not-permitted'],
];

function forbiddenCode({ innerCode, message = '' }: VaultAnswer): FailureCode {
  if (innerCode !== undefined && Object.hasOwn(FORBIDDEN_BY_INNER_CODE, innerCode)) {
    return FORBIDDEN_BY_INNER_CODE[innerCode] ?? 'vault-error';
  }
  return FORBIDDEN_BY_TEXT.find(([text]) => text.test(message))?.[1] ?? 'vault-error';
}

function notFoundCode({ code, innerCode, message = '' }: VaultAnswer): FailureCode {
  const codes = [code, innerCode];
  if (codes.includes('VaultNotFound')) return 'vault-not-found';
  if (codes.includes('KeyNotFound') || /was not found in this key vault/i.test(message)) return 'key-not-found';
  return 'vault-error';
}

const GUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const CALLER = new RegExp(`appid=(${GUID});oid=(${GUID})`);
const CLIENT_ADDRESS = /Client address: ([0-9a-fA-F.:]{2,45})(?![0-9a-zA-Z])/;
const FOUND_ISSUER = new RegExp(`found:? https://sts\\.windows\\.net/(${GUID})`);
/** Only what an Azure resource id can hold: it goes into a command. */
const RESOURCE = new RegExp(
  `Resource: '(/subscriptions/${GUID}/resourcegroups/[\\w.()-]{1,90}/providers/microsoft\\.keyvault/vaults/` +
    `[0-9A-Za-z-]{3,24}(?:/keys/[0-9A-Za-z-]{1,127})?)`,
  'i',
);

function factsInMessage(message: string): FailureFacts {
  const [, appId, principalId] = CALLER.exec(message) ?? [];
  return {
    ...optional('appId', appId?.toLowerCase()),
    ...optional('principalId', principalId?.toLowerCase()),
    ...optional('clientAddress', CLIENT_ADDRESS.exec(message)?.[1]),
    ...optional('resourceId', RESOURCE.exec(message)?.[1]),
  };
}

/** What was asked and refused, or the service's own code where ours says nothing. */
const DETAIL: Partial<Record<FailureCode, (answer: VaultAnswer, message: string) => string | undefined>> = {
  'access-denied-rbac': (_, message) => /Action: '([\w./]{1,120})'/.exec(message)?.[1],
  'access-denied-policy': (_, message) => {
    const permission = /does not have keys ([\w ,]{1,60}) permission/i.exec(message)?.[1];
    return permission === undefined ? undefined : `the missing key permission is ${permission}`;
  },
  'wrong-entra-tenant': (_, message) => {
    const found = FOUND_ISSUER.exec(message)?.[1];
    return found === undefined ? undefined : `our token was of ${found.toLowerCase()}`;
  },
  'vault-unreachable': ({ status }) => `it answered ${status}`,
  'vault-error': ({ status, innerCode, code }) =>
    [String(status), innerCode ?? code].filter((part) => part !== undefined).join(' '),
};

function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, string>);
}
