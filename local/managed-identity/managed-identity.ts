// The identity endpoint of App Service (2019-08-01 protocol) over plain http on loopback: whoever knows the header's
// value gets a token of a user-assigned identity. Tokens are signed with Entra's keys; consent plays no part here.
import { randomUUID, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { Control } from '../control/control.ts';
import { named, RoutePatterns } from '../control/route-patterns.ts';
import { applicationClaims, federationClaims } from '../entra/claims.ts';
import type { TokenSigner } from '../entra/token-signer.ts';
import { openSnapshot } from '../state/snapshot.ts';
import { listenHttp, type EmulatorReply, type EmulatorRequest } from '../http/emulator-http.ts';
import {
  FEDERATION_AUDIENCE,
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_HEADER,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  SERVICE_BUS_AUDIENCE,
  STORAGE_AUDIENCE,
  SUBSCRIPTION_ID,
  VAULT_AUDIENCE,
  VENDOR_TENANT_ID,
} from '../identities.ts';

const API_VERSION = '2019-08-01';
const DEFAULT_LIFETIME_SECONDS = 86_400;
const RESOURCES: readonly string[] = [FEDERATION_AUDIENCE, STORAGE_AUDIENCE, SERVICE_BUS_AUDIENCE, VAULT_AUDIENCE];

export interface ManagedIdentityEmulator {
  readonly port: number;
  readonly control: Control;
  readonly controlUrl: string;
  /** What App Service sets for the app: IDENTITY_ENDPOINT and IDENTITY_HEADER. */
  readonly environment: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string };
  close(): Promise<void>;
}

interface State {
  readonly signer: TokenSigner;
  /** Client id (lower case) to principal id. */
  readonly identities: Map<string, string>;
  readonly settings: { tokenLifetimeSeconds: number };
}

const identityBody = z.strictObject({ principalId: z.guid() });
const settingsBody = z.strictObject({ tokenLifetimeSeconds: z.number().int().positive() });

export async function startManagedIdentity(options: {
  readonly signer: TokenSigner;
  /** Where it is kept from run to run; in memory only when left out. */
  readonly stateFile?: string | undefined;
}): Promise<ManagedIdentityEmulator> {
  const kept = openSnapshot<Omit<State, 'signer'>>(options.stateFile);
  const { identities, settings } = kept.found ?? {
    identities: new Map([[MANAGED_IDENTITY_CLIENT_ID, MANAGED_IDENTITY_PRINCIPAL_ID]]),
    settings: { tokenLifetimeSeconds: DEFAULT_LIFETIME_SECONDS },
  };
  const state: State = { signer: options.signer, identities, settings };
  const control = new Control(['token']);
  control.onChange = () => kept.save({ identities, settings });
  control.onChange();
  addCalls(control, state);
  const http = await listenHttp({
    control,
    understand: (request) => ({
      operation: 'token',
      target: request.query.get('client_id')?.toLowerCase() ?? '',
      detail: { resource: request.query.get('resource') ?? '' },
      act: () => answer(state, request),
    }),
  });
  return {
    port: http.port,
    control,
    controlUrl: await control.listen(),
    environment: {
      IDENTITY_ENDPOINT: `http://127.0.0.1:${http.port}/msi/token`,
      IDENTITY_HEADER: MANAGED_IDENTITY_HEADER,
    },
    close: async () => {
      await http.close();
      await control.close();
      kept.close();
    },
  };
}

function addCalls(control: Control, { identities, settings }: State): void {
  new RoutePatterns(control)
    .withBody('PUT /identities/:client', identityBody, (body, names) => {
      identities.set(named(names, 'client').toLowerCase(), body.principalId);
    })
    .on('DELETE /identities/:client', (names) => {
      identities.delete(named(names, 'client').toLowerCase());
    })
    .withBody('PATCH /settings', settingsBody, (body) => {
      settings.tokenLifetimeSeconds = body.tokenLifetimeSeconds;
    });
}

function answer({ signer, identities, settings }: State, request: EmulatorRequest): EmulatorReply {
  const { query } = request;
  if (request.method !== 'GET' || request.path !== '/msi/token') return refuse(404, 'Not found.');
  if (!isExpectedHeader(request.headers['x-identity-header'])) return refuse(401, 'The identity header is invalid.');
  if (query.get('api-version') !== API_VERSION) return refuse(400, 'The api-version is not supported.');
  const found = namedIn(query, identities);
  if (!found) return refuse(400, 'Unable to load the proper Managed Identity.');
  const [clientId, principalId] = found;
  // Clients ask for Service Bus with a slash at the end; audiences are written without.
  const resource = (query.get('resource') ?? '').replace(/\/$/, '');
  if (!RESOURCES.includes(resource)) {
    const text = `The resource principal named ${resource} was not found in the tenant named Vendor.`;
    return refuse(400, `AADSTS500011: ${text}`);
  }
  const seconds = settings.tokenLifetimeSeconds;
  const nowMs = Date.now();
  const common = { tenantId: VENDOR_TENANT_ID, tokenId: randomUUID(), lifetime: { nowMs, seconds } };
  const claims =
    resource === FEDERATION_AUDIENCE
      ? federationClaims({ ...common, clientId, principalId })
      : applicationClaims({ ...common, audience: resource, appId: clientId, objectId: principalId, proof: '2' });
  const expiresOn = String(Math.floor(nowMs / 1000) + seconds);
  const token = { access_token: signer.sign(claims), expires_on: expiresOn, resource, token_type: 'Bearer' };
  return { status: 200, body: { ...token, client_id: clientId } };
}

/**
 * The identity that a request names in one of the three ways that App Service knows. Only user-assigned ones exist here, so that
 * none is assumed where none is named; of two names neither is believed. A resource id ends in the client id here.
 */
function namedIn(query: URLSearchParams, identities: State['identities']): readonly [string, string] | undefined {
  const [name, ...more] = ['client_id', 'object_id', 'principal_id', 'mi_res_id'].filter((one) => query.has(one));
  if (name === undefined || more.length > 0) return undefined;
  const value = (query.get(name) ?? '').toLowerCase();
  return [...identities].find(([clientId, principalId]) => {
    if (name === 'client_id') return clientId === value;
    return name === 'mi_res_id' ? value === resourceIdOf(clientId).toLowerCase() : principalId.toLowerCase() === value;
  });
}

export const resourceIdOf = (clientId: string): string =>
  `/subscriptions/${SUBSCRIPTION_ID}/resourcegroups/rg-keyswitch/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${clientId}`;

function isExpectedHeader(given: string | string[] | undefined): boolean {
  if (typeof given !== 'string' || given.length !== MANAGED_IDENTITY_HEADER.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(MANAGED_IDENTITY_HEADER));
}

const refuse = (status: number, message: string): EmulatorReply => ({
  status,
  body: { statusCode: status, message },
});
