// What a Key Vault's refusal means. Pure, and never fails: a refusal for a reason that is not known is `vault-refused`, any other answer
// that is not known `vault-error`, and neither is a revocation (invariants 9 and A19). The texts are Azure's (docs/azure.md); the inner code decides
// where there is one that we know, the text where there is none.
import { failure, type VaultFailureCode } from './words/failures.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { REFUSED_BY_VAULT } from './words/vault-key-failures.ts';
import { MISROUTED } from './words/vault-network-failures.ts';
import { isAddress, plainAddress } from './words/network-address.ts';
import { withoutUnseen } from '../../domain/visible-text.ts';

export interface VaultAnswer {
  readonly status: number;
  /** `error.code` of the body. */
  readonly code?: string;
  /** `error.innererror.code`; the SDK calls it `innerError`. */
  readonly innerCode?: string;
  readonly message?: string;
  /** `x-ms-request-id`. */
  readonly correlationId?: string;
  /** `Retry-After`, if it is a number. */
  readonly retryAfterSeconds?: number;
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
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  };
  return failure(code, detail === undefined ? told : { ...told, detail }, service);
}

function codeOf(answer: VaultAnswer): VaultFailureCode {
  const { status } = answer;
  if (status === 401) return /\bAKV10032\b/.test(answer.message ?? '') ? 'wrong-entra-tenant' : 'vault-error';
  if (status === 400) return badRequestCode(answer);
  if (status === 403) return forbiddenCode(answer);
  if (status === 404) return notFoundCode(answer);
  if (status === 429) return 'throttled';
  if (status === 408 || (status >= 500 && status <= 599)) return 'vault-unreachable';
  return status > 400 && status <= 499 && !PASSING.test(answer.innerCode ?? answer.message ?? '')
    ? unknownRefusal(answer)
    : 'vault-error';
}

/** 409, for seconds, of a key that was deleted or recovered just now (issue 31581 of azure-sdk-for-net). */
const PASSING = /ObjectIsBeing(?:Deleted|Recovered)|currently being (?:deleted|recovered)/i;

/** Without any code of a vault's it is no vault's word: a proxy refuses with the same status. */
const unknownRefusal = ({ code, innerCode }: VaultAnswer): VaultFailureCode =>
  (innerCode ?? code) === undefined ? 'vault-error' : 'vault-refused';

const FORBIDDEN_BY_INNER_CODE: ReadonlyMap<string, VaultFailureCode> = new Map(
  Object.entries<VaultFailureCode>({
    ForbiddenByRbac: 'access-denied-rbac',
    ForbiddenByPolicy: 'access-denied-policy',
    AccessDenied: 'access-denied-policy',
    ForbiddenByFirewall: 'vault-firewall',
    ForbiddenByConnection: 'vault-private-only',
    ForbiddenByNsp: 'vault-perimeter',
    KeyDisabled: 'key-disabled',
    KeyExpired: 'key-expired',
    KeyNotYetValid: 'key-not-yet-valid',
    KeyOperationForbidden: 'key-operation-not-permitted',
  }),
);

const FORBIDDEN_BY_TEXT: readonly (readonly [RegExp, VaultFailureCode])[] = [
  [/does not allow access to [\w.-]{1,253}\.?\s*$/i, 'vault-unreachable'],
  [/Caller is not authorized to perform action on resource|operation is not allowed by RBAC/i, 'access-denied-rbac'],
  [/does not have [\w ]{0,10}keys[\w /,]{1,60} permission/i, 'access-denied-policy'],
  [/requires the caller .{1,400} to use on-behalf-of/is, 'access-denied-policy'],
  // Before the perimeter: vaults that are in none say "not allowed by NSP rules and the client address is not authorized" (AzureKeyVault@2 of Azure DevOps).
  [/Client address(?: ?\([^)]{0,60}\))? is not authorized/i, 'vault-firewall'],
  [/Public (?:network )?access is disabled|not an approved private link/i, 'vault-private-only'],
  [/\bNSP\b|network security perimeter/i, 'vault-perimeter'],
  [/is not allowed on a disabled (?:key|entity)|key is disabled/i, 'key-disabled'],
  [/is not (?:permitted|allowed) on an expired key/i, 'key-expired'],
  [/is not (?:permitted|allowed) on a (?:not yet valid key|key that is not yet valid)/i, 'key-not-yet-valid'],
  [/is not permitted on this key/i, 'key-operation-not-permitted'],
];

function forbiddenCode(answer: VaultAnswer): VaultFailureCode {
  const { code, innerCode, message = '' } = answer;
  const byInnerCode = FORBIDDEN_BY_INNER_CODE.get(innerCode ?? code ?? '');
  const known = byInnerCode ?? FORBIDDEN_BY_TEXT.find(([text]) => text.test(message))?.[1];
  return known ?? unknownRefusal(answer);
}

/** A key that does not open what it wrapped (issues 36269 of azure-sdk-for-net, 30125 of azure-sdk-for-js); else a request that it never takes. */
const DOES_NOT_OPEN = /decoding OAEP padding|unable to decrypt specified value|^the parameter is incorrect/i;

const badRequestCode = (answer: VaultAnswer): VaultFailureCode =>
  DOES_NOT_OPEN.test(answer.message ?? '') ? 'key-substituted' : unknownRefusal(answer);

function notFoundCode(answer: VaultAnswer): VaultFailureCode {
  const { code, innerCode, message = '' } = answer;
  const codes = [code, innerCode];
  if (codes.includes('VaultNotFound')) return 'vault-not-found';
  if (codes.includes('KeyNotFound') || /was not found in this key vault/i.test(message)) return 'key-not-found';
  return unknownRefusal(answer);
}

const GUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const CALLER = new RegExp(`appid=(${GUID});oid=(${GUID})`);
const CLIENT_ADDRESS = /Client address:? ?[([]?([0-9a-fA-F.:]{2,45})(?![0-9a-zA-Z])/i;
/** Of the deny assignment that decided; `null` where none did. */
const DENY_ASSIGNMENT = /DenyAssignmentId: *'?([\w/.-]{1,200})'?/i;
const FOUND_ISSUER = new RegExp(`found:? https://sts\\.windows\\.net/(${GUID})`);
/** Only what an Azure resource id can hold: it goes into a command. */
const RESOURCE = new RegExp(
  `Resource: '(/subscriptions/${GUID}/resourcegroups/[\\w.()-]{1,90}/providers/microsoft\\.keyvault/vaults/` +
    `[0-9A-Za-z-]{3,24}(?:/keys/[0-9A-Za-z-]{1,127})?)`,
  'i',
);

function factsInMessage(message: string): FailureFacts {
  const [, appId, principalId] = CALLER.exec(message) ?? [];
  const address = plainAddress(CLIENT_ADDRESS.exec(message)?.[1]?.replace(/[.:]$/, '') ?? '');
  return {
    ...optional('appId', appId?.toLowerCase()),
    ...optional('principalId', principalId?.toLowerCase()),
    ...optional('clientAddress', isAddress(address) ? address : undefined),
    ...optional('denyAssignmentId', denyAssignmentIn(message)),
    ...optional('resourceId', RESOURCE.exec(message)?.[1]),
  };
}

function denyAssignmentIn(message: string): string | undefined {
  const id = DENY_ASSIGNMENT.exec(message)?.[1];
  return id === undefined || /^(null|none)$/i.test(id) ? undefined : id;
}

/** What was asked and refused, or the service's own code where ours says nothing. */
const DETAIL: Partial<Record<VaultFailureCode, (answer: VaultAnswer, message: string) => string | undefined>> = {
  'access-denied-rbac': (_, message) => {
    const action = /Action: '([\w./]{1,120})'/.exec(message)?.[1];
    return denyAssignmentIn(message) === undefined ? action : `a deny assignment blocks ${action ?? 'it'}`;
  },
  'access-denied-policy': (_, message) => {
    const permission = /does not have keys ([\w ,]{1,60}) permission/i.exec(message)?.[1];
    return permission === undefined ? undefined : `the missing key permission is ${permission}`;
  },
  'wrong-entra-tenant': (_, message) => {
    const found = FOUND_ISSUER.exec(message)?.[1];
    return found === undefined ? undefined : `our token was of ${found.toLowerCase()}`;
  },
  'vault-unreachable': ({ status }) => (status === 403 ? MISROUTED : `it answered ${status}`),
  'vault-refused': inItsOwnWords,
  'key-substituted': () => 'it does not open what it wrapped',
  'key-expired': () => REFUSED_BY_VAULT,
  'key-not-yet-valid': () => REFUSED_BY_VAULT,
  'vault-error': inItsOwnWords,
};

/** Status, code and words. Without a code nothing was said by a vault, and no words are its own. */
function inItsOwnWords({ status, innerCode, code = innerCode, message }: VaultAnswer): string {
  if (code === undefined) return String(status);
  return [`${status} ${innerCode ?? code}`, ...(message === undefined ? [] : [shortened(message)])].join(': ');
}

const MAX_QUOTED_CHARACTERS = 300;

/** The vault's words on one line, without its last full stop: they end a sentence of ours. */
const shortened = (message: string): string =>
  withoutUnseen(message)
    .replace(/[\s\ufffd]+/g, ' ')
    .slice(0, MAX_QUOTED_CHARACTERS)
    .trim()
    .replace(/\.+$/, '');

function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, string>);
}
