// The whole API in process: the registered table over real operations, in-memory stores and vaults, and tokens that are really
// signed and verified. Calls go the way Azure's router would send them, and every answer is held against the description.
import type { HttpResponseInit } from '@azure/functions';
import { expect } from 'vitest';
import { routes, type HttpServices } from '../../../functions/http/routes.ts';
import { createRouteTable } from '../../../local/functions-host/route-table.ts';
import { timersOf } from '../../../functions/timer/register.ts';
import { registerReserved, registerRoutes, type HttpApp } from '../../../functions/http/kernel/register.ts';
import type { Route } from '../../../functions/http/kernel/route.ts';
import { exportSealer } from '../../../shared/adapters/export-sealer.ts';
import { createTokenVerifier } from '../../../shared/identity/client/token-verifier.ts';
import { handleSwitchWork, type WorkDependencies } from '../../../shared/operations/switches/work.ts';
import { CallPlaces } from '../../../functions/http/kernel/call-places.ts';
import { CallRates } from '../../../functions/http/kernel/call-rates.ts';
import { TimerTurns } from '../../../shared/operations/watch/timer-turns.ts';
import type { World } from '../../../shared/operations/world.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import type { Notifying } from '../../../shared/operations/notifications/sweep-notifications.ts';
import { FakeReceivers } from '../../fakes/fake-receivers.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import type { FakeTables } from '../../fakes/fake-tables.ts';
import { appClaims, AUDIENCE, FakeTokenIssuer, TENANT_ID, type Claims } from '../../fakes/fake-token-issuer.ts';
import { DEPLOYMENT } from '../../fixtures/api-document.ts';
import { consentTo } from '../../fixtures/consented-connection.ts';
import { DAY_MS, POLICY } from '../../fixtures/policy.ts';
import { SCHEDULES } from '../../fixtures/schedules.ts';
import { TestWorld, VENDOR } from '../../world.ts';
import type { ApiAnswer, Json } from './api-answer.ts';
import { ApiDescription } from './api-description.ts';

export const ORIGIN = 'https://keyswitch.example';
export const BASE_URL = `${ORIGIN}/api/v1`;
/** Paths of these are from the root; all others are below /api/v1. */
const FROM_ROOT = /^\/(?:api|consent|verify|portal|operator)(?:\/|$)/;
export const CUSTOMER_HOST = 'contoso.vault.azure.net';
export const CUSTOMER_KEY = 'customer-key';
export const CUSTOMER_TENANT = '22222222-2222-4222-8222-222222222222';

const CACHE_TTL_MS = 5_000;

export interface CallOptions {
  /** Claims of the caller's token; none sends no token. */
  readonly as?: Claims;
  readonly body?: unknown;
  /** Sent as it is, in place of a JSON body. */
  readonly rawBody?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = Parameters<HttpApp['http']>[1];

export const vendor: Claims = { roles: ['Keyswitch.VendorAdmin'] };
export const backend: Claims = { roles: ['Keyswitch.DataKeys'] };
export const auditor: Claims = { roles: ['Keyswitch.Auditor'] };
export const adminOf = (company: string): Claims => ({
  roles: ['Keyswitch.CompanyAdmin'],
  extension_company: company,
});

/** Of a call for data keys, for its turn. */
const MAX_WAIT_MS = 2_000;

const API_POLICY = {
  ...POLICY,
  keyTtlMs: CACHE_TTL_MS,
  keyPolicy: { propagationMs: 600_000 },
  shardCount: 2,
  deployment: DEPLOYMENT,
  companyClaim: 'extension_company',
  confinedClaim: 'extension_companies',
  mustBeConfined: new Set<never>(),
  publicUrl: ORIGIN,
  apiUrl: BASE_URL,
  webhookHosts: [],
  vendorName: 'Tailspin Backup',
  vendorMaySwitch: false,
  signInTimes: { linkMs: DAY_MS, stepMs: 600_000 },
} as const;

interface ApiOptions {
  readonly tables?: (store: FakeTables) => Tables;
  /** The table of the app, unless a test has routes of its own. */
  readonly routes?: readonly Route<HttpServices>[];
  /** Of a company; as many as there is room for unless a test says. */
  readonly keysPerSecond?: number;
}

type ApiServices = HttpServices & WorkDependencies & Notifying & Pick<World, 'storeClock' | 'instance'>;

export class Api extends TestWorld {
  readonly signIns = new FakeSignIns(this.clock);
  readonly receivers = new FakeReceivers();
  readonly issuer: FakeTokenIssuer;
  readonly services: ApiServices;
  readonly description: ApiDescription;
  readonly functions = new Map<string, Handler>();
  readonly #find: ReturnType<typeof createRouteTable<{ name: string; handler: Handler['handler'] }>>;

  private constructor(
    issuer: FakeTokenIssuer,
    { tables = (store) => store, routes: table = routes, keysPerSecond }: ApiOptions,
  ) {
    super({ seed: 'api', vendor: { ...VENDOR, tenantId: TENANT_ID } });
    this.issuer = issuer;
    this.services = this.#makeServices(tables(this.store), keysPerSecond);
    this.description = new ApiDescription(table);
    this.vaults.addVault({ host: CUSTOMER_HOST, tenantId: CUSTOMER_TENANT });
    this.vaults.addKey({ host: CUSTOMER_HOST, keyName: CUSTOMER_KEY, fixture: 'rsa-2048-2' });
    const app: HttpApp = { http: (name, options) => void this.functions.set(name, options) };
    registerReserved(app, this.services);
    registerRoutes(app, table, this.services);
    this.#find = createRouteTable(
      [...this.functions].map(([name, { methods, route: template = name, handler }]) => {
        return { name, methods, template, target: { name, handler } };
      }),
    );
  }

  static async start(options: ApiOptions = {}): Promise<Api> {
    return new Api(await FakeTokenIssuer.start(), options);
  }

  close(): Promise<void> {
    return this.issuer.close();
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<ApiAnswer> {
    const url = path.startsWith('https:') ? new URL(path) : new URL((FROM_ROOT.test(path) ? ORIGIN : BASE_URL) + path);
    const rawBody = options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const headers = new Headers({
      ...(rawBody === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.as ? { authorization: `Bearer ${await this.issuer.sign(appClaims(options.as))}` } : {}),
      ...options.headers,
    });
    const { name, handler, params } = this.#route(method, url.pathname);
    const body = rawBody === undefined ? null : new Blob([rawBody]).stream();
    const request = { method, url: url.href, headers, query: url.searchParams, params, body };
    const init = (await handler(
      request as unknown as Parameters<typeof handler>[0],
      undefined as unknown as Parameters<typeof handler>[1],
    )) as HttpResponseInit;
    const answer = answerOf(init);
    this.description.expectToFit(name, answer, method);
    return answer;
  }

  /** Works until the queue is empty. */
  async work(): Promise<void> {
    for (let message = this.queue.take(); message; message = this.queue.take()) {
      await handleSwitchWork(this.services, message);
    }
  }

  /** As the Functions host does. */
  #route(
    method: string,
    pathname: string,
  ): { name: string; handler: Handler['handler']; params: Readonly<Record<string, string>> } {
    const found = this.#find(method, pathname);
    if (!found) throw new Error(`the host itself answers ${method} ${pathname}`);
    const { name, handler } = found.target;
    return { name, handler, params: found.params };
  }

  #makeServices(tables: Tables, keysPerSecond?: number): ApiServices {
    const beside = {
      verifier: createTokenVerifier({
        authorityHost: 'https://login.microsoftonline.com',
        tenantId: TENANT_ID,
        audience: AUDIENCE,
        jwksUri: this.issuer.jwksUri,
      }),
      signIns: this.signIns,
      exportSealer,
      webhookSender: this.receivers,
      queueWatches: { work: this.queue, checks: this.checkQueue },
    };
    const services = this.startHost(API_POLICY, { tables, instance: 'instance-1', beside });
    const loopDelay = { lastingMs: 0 };
    const rates = new CallRates(services, { keysPerSecond });
    const callPlaces = new CallPlaces({ ...services, loopDelay, rates }, { maxWaitMs: MAX_WAIT_MS });
    const timerTurns = new TimerTurns({ ...services, version: '1.2.3' }, timersOf(services, SCHEDULES));
    return { ...services, callPlaces, timerTurns };
  }
}

function answerOf(init: HttpResponseInit): ApiAnswer {
  const headers = new Headers(init.headers);
  const text = init.body === undefined ? '' : Buffer.from(init.body as Uint8Array).toString();
  const isPage = headers.get('Content-Type')?.startsWith('text/html') === true;
  return {
    status: init.status ?? 200,
    headers,
    body: (text === '' || isPage ? {} : JSON.parse(text)) as Json,
    ...(isPage && text !== '' ? { html: text } : {}),
    cookies: init.cookies ?? [],
  };
}

/** A company with its default keyring. */
export async function registerCompany(api: Api, companyId: string): Promise<void> {
  const put = await api.call('PUT', `/companies/${companyId}`, { as: vendor, body: { displayName: companyId } });
  expect(put.status).toBe(201);
}

/** A connection to the customer's vault, tested green. */
export async function connect(api: Api, companyId: string, connectionId: string): Promise<void> {
  const path = `/companies/${companyId}/connections/${connectionId}`;
  const body = { vaultUri: `https://${CUSTOMER_HOST}`, keyName: CUSTOMER_KEY, credential: { kind: 'federated' } };
  const put = await api.call('PUT', path, { as: adminOf(companyId), body });
  expect(put.status).toBe(201);
  await consentTo(
    {
      tables: api.store,
      sealer: api.vaults,
      put: (row) => api.store.tamper(row.table, row.partitionKey, row.rowKey, row.cells),
    },
    { companyId, connectionId, tenantId: CUSTOMER_TENANT, at: api.clock.now().toISOString() },
  );
  const tested = await api.call('POST', `${path}/test`, { as: adminOf(companyId), body: {} });
  expect(tested.body['status']).toBe('green');
}
