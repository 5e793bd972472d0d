// The adapter of sign-ins against the emulators of Entra and Google, under real names: tenants and Workspaces with people in
// them, who go through the pages as people do, and come back with what the adapter is given.
import { systemClock } from '../../shared/adapters/system.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import { Browser } from '../../local/browser/browser.ts';
import { signInAt } from '../../local/browser/sign-in-pages.ts';
import type { RequestRecord } from '../../local/control/control.ts';
import {
  CONNECTOR_APP_ID,
  GOOGLE_CLIENT_ID,
  GOOGLE_CLIENT_SECRET,
  MANAGED_IDENTITY_CLIENT_ID,
  VENDOR_TENANT_ID,
} from '../../local/identities.ts';
import { Credentials } from '../../shared/identity/entra/credentials/credentials.ts';
import type { SignInCallback, SignInRequest } from '../../shared/identity/identity.ts';
import { createSignInClients } from '../../shared/identity/registry/sign-in-clients.ts';
import type { SignInClients } from '../../shared/identity/registry/tenant-kinds.ts';
import { startApplication } from '../local/people-come-back.ts';
import { control, startLocalAzure, type LocalAzure } from '../local/real-names.ts';
import { valueOf } from './vault-world.ts';
import { noSecrets } from '../fakes/no-secrets.ts';

type Application = Awaited<ReturnType<typeof startApplication>>;

interface World {
  readonly azure: LocalAzure;
  readonly app: Application;
}

export interface Manner {
  readonly declines?: boolean;
}

export class SignInWorld {
  readonly azure: LocalAzure;
  readonly #app: Application;
  #count = 0;

  constructor({ azure, app }: World) {
    this.azure = azure;
    this.#app = app;
  }

  static async start(): Promise<SignInWorld> {
    const world = new SignInWorld({ azure: await startLocalAzure(), app: await startApplication() });
    const { redirectUri } = world.#app;
    await world.entra('POST', `/apps/${CONNECTOR_APP_ID}/redirect-uris`, { redirectUri });
    await world.google('POST', `/clients/${GOOGLE_CLIENT_ID}/redirect-uris`, { redirectUri });
    return world;
  }

  readonly entra = <T = unknown>(method: string, path: string, body?: unknown): Promise<T> =>
    control<T>(this.azure.entra.controlUrl, method, path, body);

  readonly google = <T = unknown>(method: string, path: string, body?: unknown): Promise<T> =>
    control<T>(this.azure.google.controlUrl, method, path, body);

  /** As a fresh process has it. */
  signIns(
    options: {
      readonly identityClientId?: string;
      readonly google?: { readonly clientId: string; readonly clientSecret: string } | 'none';
      readonly timeoutMs?: number;
    } = {},
  ): SignInClients {
    const { identityClientId = MANAGED_IDENTITY_CLIENT_ID, timeoutMs = 30_000 } = options;
    const { google = { clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET } } = options;
    const common = {
      connectorClientId: CONNECTOR_APP_ID,
      authorityHost: 'https://login.microsoftonline.com',
      timeoutMs,
      clock: systemClock,
    };
    const credentials = new Credentials({
      tenantTokenMaxAgeMs: 300_000,
      openSecret: noSecrets,
      identityClientId,
      vendorTenantId: VENDOR_TENANT_ID,
      ...common,
    });
    return createSignInClients({ ...common, credentials, googleClient: google === 'none' ? undefined : google });
  }

  /** A tenant in which the connector app is installed, and `grace`, who holds these directory roles in it. */
  async tenant(roles: readonly string[] = []): Promise<{ readonly tenantId: string; readonly grace: string }> {
    this.#count += 1;
    const tenantId = randomUUID();
    const domain = `acme${this.#count}.example`;
    const grace = `grace@${domain}`;
    await this.entra('POST', '/tenants', { tenantId, displayName: 'Acme', domains: [domain] });
    await this.entra('PUT', `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`);
    await this.entra('PUT', `/tenants/${tenantId}/users/${grace}`, { displayName: 'Grace', roles });
    return { tenantId, grace };
  }

  /** What one sign-in is begun with; never twice the same. */
  request(): SignInRequest {
    const random = (): string => randomBytes(32).toString('base64url');
    return {
      redirectUri: this.#app.redirectUri,
      state: `acme~${random()}`,
      nonce: random(),
      codeVerifier: random(),
    };
  }

  /** The person goes through the pages at that address, and comes back. */
  async comeBack(
    address: string,
    person: { readonly provider: 'microsoft' | 'google'; readonly userName: string },
    manner: Manner = {},
  ): Promise<string> {
    return this.comeBackIn(new Browser(), address, person, manner);
  }

  /** The same in a browser in which they may have been before. */
  async comeBackIn(
    browser: Browser,
    address: string,
    person: { readonly provider: 'microsoft' | 'google'; readonly userName: string },
    manner: Manner = {},
  ): Promise<string> {
    await signInAt(browser, address, person, manner);
    return new URLSearchParams(this.#app.told(browser)).toString();
  }

  /** From the address to what the adapter is given afterwards. */
  async throughMicrosoft(
    signIns: SignInClients,
    { tenantId, userName }: { readonly tenantId: string; readonly userName: string },
    manner: Manner = {},
  ): Promise<SignInCallback & { readonly tenantId: string }> {
    const request = { ...this.request(), tenantId };
    const address = valueOf(await signIns.microsoft.url(request));
    return { ...request, query: await this.comeBack(address, { provider: 'microsoft', userName }, manner) };
  }

  async throughGoogle(
    signIns: SignInClients,
    { domain, userName }: { readonly domain: string; readonly userName: string },
    manner: Manner = {},
  ): Promise<SignInCallback & { readonly tenantId: string }> {
    const request = { ...this.request(), tenantId: domain };
    const address = valueOf(await signIns.google.url(request));
    return { ...request, query: await this.comeBack(address, { provider: 'google', userName }, manner) };
  }

  asked(service: 'entra' | 'google', operation: string): readonly RequestRecord[] {
    return this.azure[service].control.requests().filter((record) => record.operation === operation);
  }

  async reset(): Promise<void> {
    for (const { control: log } of [this.azure.entra, this.azure.google]) {
      log.clearRequests();
      log.clearFaults();
    }
    await this.entra('DELETE', '/id-tokens/next');
    await this.google('DELETE', '/id-tokens/next');
  }

  async close(): Promise<void> {
    await this.#app.close();
    await this.azure.close();
  }
}
