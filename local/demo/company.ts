// What a company's admin and the vendor's backend do with a company, through the API.
import type { Customer } from '../environment/customers.ts';
import type {
  ConnectionTest,
  ErrorAnswer,
  Failure,
  KeyringAnswer,
  LinkAnswer,
  SwitchAnswer,
  TenantRef,
} from './answers.ts';
import type { Demo } from './demo.ts';
import { until } from './until.ts';
import { count } from './words.ts';

export const CONNECTION_ID = 'own-vault';
const TIMEOUT_MS = 60_000;

export async function register(demo: Demo, { name }: Customer, displayName: string): Promise<void> {
  const { api, environment } = demo;
  const token = environment.tokens.vendorAdmin;
  await api.must({ token, method: 'PUT', path: `/companies/${name}`, body: { displayName } });
}

/** What the API says of the two values, or undefined if it takes them. */
export async function enterConnection(
  { api, environment }: Demo,
  customer: Customer,
  typed: { readonly vaultUri: string; readonly keyName: string },
): Promise<Failure | undefined> {
  const { status, body } = await api.call({
    token: environment.tokens.companyAdmins[customer.name],
    method: 'PUT',
    path: `/companies/${customer.name}/connections/${CONNECTION_ID}`,
    body: { ...typed, credential: { kind: 'federated' } },
  });
  return status < 300 ? undefined : (body as ErrorAnswer).error;
}

export async function testConnection({ api, environment }: Demo, customer: Customer): Promise<ConnectionTest> {
  const token = environment.tokens.companyAdmins[customer.name];
  const path = `/companies/${customer.name}/connections/${CONNECTION_ID}/test`;
  return (await api.must({ token, method: 'POST', path, body: {} })) as ConnectionTest;
}

/** A link for the administrator of the vault's tenant. */
export async function askForConsent({ api, environment }: Demo, { name }: Customer): Promise<string> {
  const token = environment.tokens.companyAdmins[name];
  const path = `/companies/${name}/connections/${CONNECTION_ID}/consent`;
  return ((await api.must({ token, method: 'POST', path, body: {} })) as LinkAnswer).link;
}

/** The vendor's own doing: it is the vendor who sees whose data it holds. */
export async function registerTenant({ api, environment }: Demo, { name }: Customer, tenant: TenantRef): Promise<void> {
  const token = environment.tokens.vendorAdmin;
  await api.must({ token, method: 'PUT', path: tenantPath(name, tenant), body: {} });
}

const tenantPath = (company: string, { kind, tenantId }: TenantRef): string =>
  `/companies/${company}/tenants/${kind}/${tenantId}`;

export const failureOf = (test: ConnectionTest): Failure | undefined =>
  test.checks.find(({ outcome }) => outcome === 'failed')?.failure;

export async function getKeyring({ api, environment }: Demo, { name }: Customer): Promise<KeyringAnswer> {
  const token = environment.tokens.companyAdmins[name];
  return (await api.must({ token, method: 'GET', path: `/companies/${name}/keyrings/default` })) as KeyringAnswer;
}

/** A switch of the company's default keyring: begun, looked at, cancelled. */
export class CompanySwitch {
  readonly #demo: Demo;
  readonly #customer: Customer;
  readonly #path: string;
  readonly switchId: string;

  constructor(demo: Demo, customer: Customer, switchId: string) {
    this.#demo = demo;
    this.#customer = customer;
    this.switchId = switchId;
    this.#path = `/companies/${customer.name}/keyrings/default/switches/${switchId}`;
  }

  start(): Promise<SwitchAnswer> {
    return this.#call('PUT', '', { provider: 'azure-key-vault', connectionId: CONNECTION_ID });
  }

  get(): Promise<SwitchAnswer> {
    return this.#call('GET', '');
  }

  /** Throws if it cannot get there by itself. */
  until(what: string, isReached: (now: SwitchAnswer) => boolean): Promise<SwitchAnswer> {
    return until(what, TIMEOUT_MS, async () => {
      const now = await this.get();
      if (isReached(now)) return now;
      const stuck = stuckReason(now);
      if (stuck !== undefined) throw new Error(stuck);
      return undefined;
    });
  }

  cancel(): Promise<SwitchAnswer> {
    return this.#call('POST', '/cancel', {});
  }

  /** A link for an administrator of the tenant, to approve this switch. */
  async askForApproval(tenant: TenantRef): Promise<string> {
    const { api, environment } = this.#demo;
    const { name } = this.#customer;
    const token = environment.tokens.companyAdmins[name];
    const path = `${tenantPath(name, tenant)}/verify`;
    const body = { for: 'switch', keyringId: 'default', switchId: this.switchId };
    return ((await api.must({ token, method: 'POST', path, body })) as LinkAnswer).link;
  }

  async #call(method: 'GET' | 'PUT' | 'POST', verb: string, body?: object): Promise<SwitchAnswer> {
    const token = this.#demo.environment.tokens.companyAdmins[this.#customer.name];
    const call = { token, method, path: `${this.#path}${verb}`, ...(body ? { body } : {}) };
    return (await this.#demo.api.must(call)) as SwitchAnswer;
  }
}

/** Why a switch will not end by itself, if so. */
export function stuckReason({ blocked, counts, quarantine }: SwitchAnswer): string | undefined {
  if (blocked) return `the switch is blocked: ${blocked.failure?.code ?? blocked.detail ?? blocked.reason}`;
  if (counts.quarantined === 0) return undefined;
  const named = quarantine.map(({ keyId, reason }) => `${keyId} (${reason})`).join(', ');
  return `${count(counts.quarantined, 'data key')} set aside as damaged: ${named}`;
}
