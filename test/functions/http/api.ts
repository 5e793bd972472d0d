// The whole API in process: the registered table over real operations, in-memory stores and vaults, and tokens that are really
// signed and verified. Calls go the way Azure's router would send them, and every answer is held against the description.
import type { HttpResponseInit } from '@azure/functions';
import { expect } from 'vitest';
import { routes, type HttpServices } from '../../../functions/http/routes.ts';
import { createRouteTable } from '../../../local/functions-host/route-table.ts';
import { registerReserved, registerRoutes, type HttpApp } from '../../../functions/http/kernel/register.ts';
import type { Route } from '../../../functions/http/kernel/route.ts';
import { exportSealer } from '../../../shared/adapters/export-sealer.ts';
import { createTokenVerifier } from '../../../shared/adapters/token-verifier.ts';
import { EventLimits } from '../../../shared/operations/audit/event-limits.ts';
import { DataKeyCalls } from '../../../shared/operations/audit/data-key-calls.ts';
import { CompanyKeyCache } from '../../../shared/operations/company-key-cache.ts';
import { Readiness } from '../../../shared/operations/readiness.ts';
import { KeptKeys } from '../../../shared/operations/kept-keys.ts';
import { KeyringPlaces } from '../../../shared/operations/data-keys/keyring-places.ts';
import { ShardWriter } from '../../../shared/operations/data-keys/shard-writer.ts';
import { WrappedRows } from '../../../shared/operations/data-keys/wrapped-rows.ts';
import { handleSwitchWork, type WorkDependencies } from '../../../shared/operations/switches/handle-work.ts';
import { CallPlaces } from '../../../functions/http/kernel/call-places.ts';
import { VaultWaits } from '../../../shared/operations/vault-waits.ts';
import { pageSlots } from '../../../shared/operations/switches/page-slots.ts';
import { VaultPermits } from '../../../shared/operations/switches/vault-permits.ts';
import { WorkerKeys } from '../../../shared/operations/switches/worker-keys.ts';
import type { Tables } from '../../../shared/operations/ports.ts';
import { FakeQueue } from '../../fakes/fake-queue.ts';
import { clockGuardOf, FakeClock, FakeEntropy, FakeLog, FakeTimers } from '../../fakes/fake-system.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { appClaims, AUDIENCE, FakeTokenIssuer, TENANT_ID, type Claims } from '../../fakes/fake-token-issuer.ts';
import { CONNECTOR_APP_ID } from '../../fakes/fake-vault-answers.ts';
import { FakeVaults } from '../../fakes/fake-vaults.ts';
import { DEPLOYMENT } from '../../fixtures/api-document.ts';
import { consentTo } from '../../fixtures/consented-connection.ts';
import type { ApiAnswer, Json } from './api-answer.ts';
import { ApiDescription } from './api-description.ts';

export const ORIGIN = 'https://keyswitch.example';
export const BASE_URL = `${ORIGIN}/api/v1`;
/** Paths of these are from the root; all others are below /api/v1. */
const FROM_ROOT = /^\/(?:api|consent|verify|portal|operator)(?:\/|$)/;
export const CUSTOMER_HOST = 'contoso.vault.azure.net';
export const CUSTOMER_KEY = 'customer-key';
export const CUSTOMER_TENANT = '22222222-2222-4222-8222-222222222222';

const VENDOR_HOST = 'vendor.vault.azure.net';
const VENDOR_KEY = 'keyswitch-kek';
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

interface ApiOptions {
  readonly tables?: (store: FakeTables) => Tables;
  /** The table of the app, unless a test has routes of its own. */
  readonly routes?: readonly Route<HttpServices>[];
}

export class Api {
  readonly store = new FakeTables();
  readonly vaults = new FakeVaults();
  readonly clock = new FakeClock();
  readonly queue = new FakeQueue(this.clock);
  readonly log = new FakeLog();
  readonly signIns = new FakeSignIns(this.clock);
  readonly issuer: FakeTokenIssuer;
  readonly services: HttpServices & WorkDependencies;
  readonly description: ApiDescription;
  readonly functions = new Map<string, Handler>();
  readonly #find: ReturnType<typeof createRouteTable<{ name: string; handler: Handler['handler'] }>>;

  private constructor(issuer: FakeTokenIssuer, { tables = (store) => store, routes: table = routes }: ApiOptions) {
    this.issuer = issuer;
    this.services = this.#makeServices(tables(this.store));
    this.description = new ApiDescription(table);
    this.vaults.addVault({ host: VENDOR_HOST, tenantId: TENANT_ID });
    this.vaults.addKey({ host: VENDOR_HOST, keyName: VENDOR_KEY, fixture: 'rsa-2048-1' });
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

  #makeServices(tables: Tables): HttpServices & WorkDependencies {
    const { vaults, clock, log, queue } = this;
    const timers = new FakeTimers();
    const entropy = new FakeEntropy('api');
    const managedTarget = {
      ref: { provider: 'managed' },
      host: VENDOR_HOST,
      keyName: VENDOR_KEY,
      tenantId: TENANT_ID,
    } as const;
    const opening = { tables, vaults, sealer: vaults, log, managedTarget, clock };
    const vaultWaits = new VaultWaits();
    const companyKeys = new CompanyKeyCache(opening, { ttlMs: CACHE_TTL_MS, vaultWaits });
    const eventLimits = new EventLimits(clock);
    const keptKeys = new KeptKeys({ ...opening, timers, entropy, eventLimits }, companyKeys);
    return {
      ...opening,
      queue,
      timers,
      entropy,
      probe: vaults,
      companyKeys,
      clockGuard: clockGuardOf({ clock, log }),
      keptKeys,
      keyringPlaces: new KeyringPlaces({ tables, clock }, { ttlMs: CACHE_TTL_MS }),
      wrappedRows: new WrappedRows({ tables, clock }, { rows: 0, ttlMs: CACHE_TTL_MS }),
      callPlaces: new CallPlaces({ vaultWaits, loopDelay: { lastingMs: 0 }, clock, log }, { maxWaitMs: MAX_WAIT_MS }),
      shardWriter: new ShardWriter({ tables, companyKeys, timers, entropy, log }),
      workerKeys: new WorkerKeys(opening, { ttlMs: CACHE_TTL_MS }),
      pageSlots: pageSlots(clock),
      vaultPermits: new VaultPermits(timers, clock),
      verifier: createTokenVerifier({
        authorityHost: 'https://login.microsoftonline.com',
        tenantId: TENANT_ID,
        audience: AUDIENCE,
        jwksUri: this.issuer.jwksUri,
      }),
      eventLimits,
      dataKeyCalls: new DataKeyCalls(clock, 'instance-1'),
      deployment: DEPLOYMENT,
      readiness: new Readiness({ tables, clock, log }),
      companyClaim: 'extension_company',
      publicUrl: ORIGIN,
      vendorName: 'Tailspin Backup',
      connectionPolicy: {
        allowedSuffixes: ['vault.azure.net'],
        vendorVaultHost: VENDOR_HOST,
        connectorClientId: CONNECTOR_APP_ID,
      },
      keyPolicy: { minRsaBits: 2048, purgeable: 'warn', propagationMs: 600_000 },
      backOff: { firstMs: 1_000, lastMs: 60_000 },
      shardCount: 2,
      restoreDays: 30,
      messageBudgetMs: 60_000,
      finishClaimMs: 25_000,
      consentMs: 24 * 3_600_000,
      vendorMaySwitch: false,
      signInTimes: { linkMs: 24 * 3_600_000, stepMs: 600_000 },
      signIns: this.signIns,
      verificationMs: 24 * 3_600_000,
      exportAllowanceMs: 24 * 3_600_000,
      keepMs: 35 * 24 * 3_600_000,
      exportSealer,
      checkConcurrency: 4,
    };
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
