// Every refusal of Key Vault with its exact text, as a value. Decides nothing.
import type { EmulatorReply } from '../http/emulator-http.ts';
import type { Caller, KeyOperation, Vault } from './model.ts';

/** Thrown inside a call to the vault and turned into the answer at its edge. */
export class VaultError extends Error {
  readonly status: number;
  readonly code: string;
  readonly innerCode: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly innerCode?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = 'VaultError';
    this.status = status;
    this.code = code;
    this.innerCode = more.innerCode;
    this.headers = more.headers ?? {};
  }

  toReply(): EmulatorReply {
    const innererror = this.innerCode === undefined ? {} : { innererror: { code: this.innerCode } };
    return {
      status: this.status,
      headers: this.headers,
      body: { error: { code: this.code, message: this.message, ...innererror } },
      detail: { code: this.innerCode ?? this.code },
    };
  }
}

const forbidden = (message: string, innerCode: string): VaultError =>
  new VaultError(403, 'Forbidden', message, { innerCode });

const describe = ({ appId, objectId, issuer }: Caller): string => `appid=${appId};oid=${objectId};iss=${issuer}`;
const place = ({ name, location }: Vault): string => `${name};location=${location}`;

/** Tenants of Microsoft's own that a real vault names beside the customer's. */
const INTERNAL_ISSUERS = [
  'https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/',
  'https://sts.windows.net/e2d54eb5-3869-4f70-8578-dee5fc7331f4/',
];

function unauthorized(vault: Vault, message: string): VaultError {
  const tenant = vault.settings.challengeTenantId ?? vault.tenantId;
  const challenge = `Bearer authorization="https://login.windows.net/${tenant}", resource="https://vault.azure.net"`;
  return new VaultError(401, 'Unauthorized', message, { headers: { 'WWW-Authenticate': challenge } });
}

export const tokenMissing = (vault: Vault): VaultError =>
  unauthorized(vault, 'AKV10000: Request is missing a Bearer or PoP token.');
export const tokenMalformed = (vault: Vault): VaultError =>
  unauthorized(vault, '[BearerReadAccessTokenFailed] Error occurred during token validation.');
export const tokenKeyUnknown = (vault: Vault): VaultError =>
  unauthorized(vault, 'AKV10046: Unable to resolve the key used for signature validation.');
export const tokenExpired = (vault: Vault): VaultError =>
  unauthorized(vault, "[TokenExpired] Error validating token: 'S2S12086'.");
export const audienceWrong = (vault: Vault, found: string): VaultError =>
  unauthorized(vault, `AKV10022: Invalid audience. Expected https://vault.azure.net, found: ${found}.`);
export const issuerWrong = (vault: Vault, found: string): VaultError => {
  const [first, ...others] = INTERNAL_ISSUERS;
  const expected = [first, `https://sts.windows.net/${vault.tenantId}/`, ...others].join(', ');
  return unauthorized(vault, `AKV10032: Invalid issuer. Expected one of ${expected}, found ${found}.`);
};

export const blockedByFirewall = (vault: Vault, caller: Caller): VaultError =>
  forbidden(
    'Client address is not authorized and caller is not a trusted service.\r\n' +
      `Client address: ${vault.settings.clientAddress}\r\nCaller: ${describe(caller)}\r\nVault: ${place(vault)}`,
    'ForbiddenByFirewall',
  );

export const blockedByConnection = (vault: Vault, caller: Caller): VaultError =>
  forbidden(
    'Public network access is disabled and request is not from a trusted service nor via an approved private ' +
      `link.\r\nCaller: ${describe(caller)}\r\nVault: ${place(vault)}`,
    'ForbiddenByConnection',
  );

export const deniedByRbac = (vault: Vault, caller: Caller, action: string, keyName: string): VaultError =>
  forbidden(
    'Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role ' +
      'definitions were changed recently, please observe propagation time.\r\n' +
      `Caller: ${describe(caller)}\r\nAction: '${action}'\r\nResource: '${vault.resourceId}` +
      `${keyName === '' ? '' : `/keys/${keyName}`}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n` +
      `DecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: ${place(vault)}\r\n`,
    'ForbiddenByRbac',
  );

export const deniedByPolicy = (vault: Vault, caller: Caller, permission: string): VaultError =>
  forbidden(
    `The user, group or application '${describe(caller)}' does not have keys ${permission} permission on key vault ` +
      `'${place(vault)}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
    vault.settings.policyInnerCode,
  );

export const keyNotFound = (nameAndVersion: string): VaultError =>
  new VaultError(
    404,
    'KeyNotFound',
    `A key with (name/id) ${nameAndVersion} was not found in this key vault. If you recently deleted this key you ` +
      'may be able to recover it using the correct recovery command. For help resolving this issue, please see ' +
      'https://go.microsoft.com/fwlink/?linkid=2125182',
  );

export const deletedKeyNotFound = (name: string): VaultError =>
  new VaultError(404, 'KeyNotFound', `Deleted Key not found: ${name}`);

export const nameTakenByDeleted = (name: string): VaultError =>
  new VaultError(
    409,
    'Conflict',
    `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the ` +
      'key can only be recovered or purged.',
    { innerCode: 'ObjectIsDeletedButRecoverable' },
  );

/** As recorded by the SDKs for C++ and JavaScript. */
export const nameBeingDeleted = (name: string): VaultError =>
  new VaultError(409, 'Conflict', `Key ${name} is currently being deleted and cannot be re-created; retry later.`, {
    innerCode: 'ObjectIsBeingDeleted',
  });
export const keyBeingDeleted = (): VaultError =>
  new VaultError(409, 'Conflict', 'Key is currently being deleted.', { innerCode: 'ObjectIsBeingDeleted' });

/** The words are those for a secret (issue 12285 of terraform-provider-azurerm). */
export const nameBeingRecovered = (name: string): VaultError =>
  new VaultError(409, 'Conflict', `Key ${name} is currently being recovered and cannot be re-created; retry later.`, {
    innerCode: 'ObjectIsBeingRecovered',
  });

const ONE_AT_A_TIME = (what: string): string =>
  `multiple operations are performed in parallel against the ${what}. To avoid this error, perform operations against ` +
  `${what === 'key' ? 'a key' : `the ${what}`} in a sequential manner.`;

/** Issue 38464 of azure-sdk-for-net. */
export const recoveryConflict = (kid: string): VaultError =>
  new VaultError(
    409,
    'Conflict',
    `There was a conflict while recovering the soft-deleted key '${kid}'. This can happen when ${ONE_AT_A_TIME('soft-deleted key')}`,
  );

/** As recorded by the SDK for JavaScript. */
export const nameTaken = (kid: string): VaultError =>
  new VaultError(
    409,
    'Conflict',
    `There was a conflict restoring the key '${kid}'. This can happen if either: a second key with the same name was created after the first key ` +
      'was deleted; thus trying to restore a key whose name is already in use. To fix this, rename the second key to something else so that the ' +
      `restore works. The second probable cause of this exception is when ${ONE_AT_A_TIME('key')}`,
  );

/** Issue 6551 of azure-sdk-for-net; its status is not known. */
export const noHardware = (): VaultError =>
  new VaultError(400, 'BadParameter', 'Hardware key operation not allowed on standard vault');

export const purgeForbidden = (vault: Vault): VaultError =>
  new VaultError(
    403,
    'Forbidden',
    'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will ' +
      `automatically purge it after the retention period has passed.\r\nVault: ${place(vault)}`,
  );

export const keyDisabled = (operation: string): VaultError =>
  forbidden(`Operation ${operation} is not allowed on a disabled key.`, 'KeyDisabled');
export const keyExpired = (operation: KeyOperation): VaultError =>
  forbidden(`Operation ${operation} is not allowed on an expired key.`, 'KeyExpired');
export const keyNotYetValid = (operation: KeyOperation): VaultError =>
  forbidden(`Operation ${operation} is not allowed on a key that is not yet valid.`, 'KeyNotYetValid');
export const keyOperationForbidden = (operation: KeyOperation): VaultError =>
  forbidden(`Operation ${operation} is not permitted on this key.`, 'KeyOperationForbidden');

export const throttled = (): VaultError =>
  new VaultError(
    429,
    'Throttled',
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
  );

export const badParameter = (message: string): VaultError => new VaultError(400, 'BadParameter', message);
export const apiVersionUnknown = (asked: string, latest: string): VaultError =>
  badParameter(
    `The specified version (${asked}) is not recognized. Consider using the latest supported version (${latest}).`,
  );
export const methodNotAllowed = (): VaultError =>
  new VaultError(405, 'MethodNotAllowed', 'The requested resource does not support this http method.');
