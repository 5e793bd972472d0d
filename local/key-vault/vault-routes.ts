// A request to a vault, in Azure's order: whose vault, challenge, token, network and permission, throttling, operation.
// Puts the answer together; what an operation does is in key-operations.ts.
import { randomUUID } from 'node:crypto';
import type { EmulatorCall, EmulatorReply, EmulatorRequest, Understand } from '../http/emulator-http.ts';
import { authorize } from './authorization.ts';
import type { BearerTokens } from './bearer-token.ts';
import { latest } from './key-bundle.ts';
import { KEY_OPERATIONS } from './key-operations.ts';
import { readKeyPath, type KeyPath, type VaultOperation } from './key-path.ts';
import type { Caller, KeyKind, Vault } from './model.ts';
import { Throttle } from './throttle.ts';
import * as refuse from './vault-error.ts';
import { VaultError } from './vault-error.ts';
import type { Vaults } from './vaults.ts';

const SERVICE_VERSION = '1.9.2300.1';

/** Of the data plane, oldest first (azure-rest-api-specs, keyvault/data-plane). */
const API_VERSIONS: readonly string[] = [
  '2015-06-01',
  '2016-10-01',
  '7.0',
  '7.1',
  '7.2',
  '7.3',
  '7.4',
  '7.5',
  '7.6',
  '2025-07-01',
];

interface VaultState {
  readonly vaults: Vaults;
  readonly tokens: BearerTokens;
}

export function understandVault(state: VaultState): Understand {
  const throttles = new Map<string, Throttle>();
  return (request) => {
    const vault = state.vaults.find(request.host);
    // The name of a vault that is gone does not resolve; a connection kept open from before is cut.
    if (!vault) return undefined;
    const path = readKeyPath(request.method, request.path);
    const challenge = request.headers.authorization === undefined;
    const keyName = vault.keys.get(path.keyName.toLowerCase())?.name ?? path.keyName;
    const throttle = throttles.get(vault.host) ?? new Throttle();
    throttles.set(vault.host, throttle);
    return {
      operation: challenge ? 'challenge' : path.operation,
      target: `${vault.host}/${keyName}`,
      detail: { tenant: vault.tenantId, version: path.version },
      latencyMs: vault.settings.latencyMs,
      act: () => answer({ ...state, vault, path, request, throttle }),
    } satisfies EmulatorCall;
  };
}

interface VaultRequest extends VaultState {
  readonly vault: Vault;
  readonly path: KeyPath;
  readonly request: EmulatorRequest;
  readonly throttle: Throttle;
}

async function answer(context: VaultRequest): Promise<EmulatorReply> {
  const { vault, request } = context;
  const headers = serviceHeaders(vault, request);
  let caller: Caller | undefined;
  const who = (): Record<string, string> => (caller ? { caller: caller.appId } : {});
  try {
    caller = await context.tokens.check(vault, request.headers.authorization, Date.now());
    const body = await perform(context, caller);
    return { status: body === undefined ? 204 : 200, headers, body, detail: who() };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const reply = error.toReply();
    return { ...reply, headers: { ...headers, ...reply.headers }, detail: { ...reply.detail, ...who() } };
  }
}

async function perform(context: VaultRequest, caller: Caller): Promise<object | undefined> {
  const { vault, vaults, path, request } = context;
  const nowMs = Date.now();
  if (path.operation === 'unknown') throw refuse.methodNotAllowed();
  const operation = path.operation;
  // Asked before anything else of the key, so that who may not see it learns nothing of it.
  authorize({ vault, caller, operation, keyName: path.keyName, nowMs });
  const apiVersion = request.query.get('api-version') ?? '';
  if (apiVersion === '') throw refuse.badParameter('api-version must be specified');
  if (!API_VERSIONS.includes(apiVersion)) throw refuse.apiVersionUnknown(apiVersion, API_VERSIONS.at(-1) ?? '');
  admit(context, operation, nowMs);
  return KEY_OPERATIONS[operation]({ vaults, vault, path, query: request.query, body: request.body, nowMs });
}

function admit({ vault, path, request, throttle }: VaultRequest, operation: VaultOperation, nowMs: number): void {
  const scale = vault.settings.throttleScale;
  if (scale === undefined) return;
  const kind = operation === 'create' ? asked(request.body) : existing(vault, path);
  if (!throttle.admit({ ...kind, creates: operation === 'create', scale, nowMs })) throw refuse.throttled();
}

interface Weighed {
  readonly kind: KeyKind;
  readonly sizeBits: number;
}

function existing(vault: Vault, path: KeyPath): Weighed {
  const key = vault.keys.get(path.keyName.toLowerCase());
  return key ? latest(key) : { kind: 'RSA', sizeBits: 2048 };
}

/** Creating is weighed by what is asked for; a body that cannot be read is refused later anyway. */
function asked(body: string): Weighed {
  const kind = /"kty":"(RSA-HSM|EC-HSM|EC)"/.exec(body)?.[1] ?? 'RSA';
  return { kind: kind as KeyKind, sizeBits: Number(/"key_size":(\d+)/.exec(body)?.[1] ?? 2048) };
}

function serviceHeaders(vault: Vault, request: EmulatorRequest): Record<string, string> {
  const clientRequestId = request.headers['x-ms-client-request-id'];
  return {
    'Cache-Control': 'no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'x-ms-keyvault-region': vault.location,
    ...(typeof clientRequestId === 'string' ? { 'x-ms-client-request-id': clientRequestId } : {}),
    'x-ms-request-id': randomUUID(),
    'x-ms-keyvault-service-version': SERVICE_VERSION,
    'x-ms-keyvault-network-info': `conn_type=Ipv4;addr=${vault.settings.clientAddress};act_addr_fam=InterNetwork;`,
    'Strict-Transport-Security': 'max-age=31536000;includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
  };
}
