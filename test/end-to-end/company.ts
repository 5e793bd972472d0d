// A company as its vendor and its admin use it over HTTP: data keys that are remembered as they were handed out, connections to
// vault keys of its own, and switches that are watched to their end.
import type { Page } from '../../local/browser/page.ts';
import type { Customer } from '../../local/environment/customers.ts';
import { signInAs } from '../../local/environment/sign-in-as.ts';
import { until, type Answer, type Call, type ErrorBody, type Run } from './run.ts';

export interface KeyOutcome {
  readonly outcome: string;
  readonly keyId: string;
  readonly plaintext?: string;
  readonly companyKeyVersion?: number;
  readonly failure?: { readonly code: string; readonly kind: string; readonly owner: string };
}

export interface SwitchView {
  readonly switchId: string;
  readonly state: string;
  readonly kind: string;
  readonly paused: boolean;
  readonly counts: {
    readonly total: number;
    readonly done: number;
    readonly checked: number;
    readonly quarantined: number;
    readonly lost: number;
  };
  readonly quarantine: readonly { readonly keyId: string; readonly reason: string }[];
  readonly blocked?: {
    readonly reason: string;
    readonly side?: string;
    readonly detail?: string;
    readonly failure?: { readonly code: string; readonly owner: string };
  };
  readonly unverifiedTenants: readonly TenantRef[];
  readonly waitsFor?: { readonly reason: string; readonly owner: string };
}

export interface TenantRef {
  readonly kind: 'microsoft-365' | 'google-workspace';
  readonly tenantId: string;
}

export interface Health {
  readonly state: string;
  readonly code?: string;
  readonly owner?: string;
}

export interface Provider {
  readonly provider: string;
  readonly connectionId?: string;
}

export const MANAGED: Provider = { provider: 'managed' };
export const azure = (connectionId: string): Provider => ({ provider: 'azure-key-vault', connectionId });

const KEYS_PER_CALL = 500;
const ROLE = 'Key Vault Crypto Service Encryption User';

export class Company {
  readonly run: Run;
  readonly companyId: string;
  readonly path: string;
  readonly keyring: string;
  /** Every key that an answer has handed out, as it was then. */
  readonly keys = new Map<string, string>();

  constructor(run: Run, companyId: string) {
    this.run = run;
    this.companyId = companyId;
    this.path = `/companies/${companyId}`;
    this.keyring = `${this.path}/keyrings/default`;
  }

  static async create(run: Run, companyId: string, keys = 0): Promise<Company> {
    const company = new Company(run, companyId);
    await company.must('PUT', company.path, { body: { displayName: companyId } });
    if (keys > 0) await company.generate(keys);
    return company;
  }

  /** The body of an answer that must be a success. */
  async must<T>(method: string, path: string, call?: Call): Promise<T> {
    const { status, body } = await this.run.call<T>(method, path, call);
    if (status >= 200 && status < 300) return body;
    throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(body)}`);
  }

  async generate(count: number, call: Call = {}): Promise<void> {
    for (let left = count; left > 0; left -= KEYS_PER_CALL) {
      const keys = Array.from({ length: Math.min(left, KEYS_PER_CALL) }, () => ({}));
      const path = `${this.keyring}/datakeys`;
      const made = await this.must<{ keys: KeyOutcome[] }>('POST', path, { as: 'dataKeys', ...call, body: { keys } });
      if (!this.remember(made.keys)) throw new Error('a key was not made');
    }
  }

  /** False if one of them was not handed out. */
  remember(made: readonly KeyOutcome[]): boolean {
    for (const { keyId, plaintext } of made) if (plaintext !== undefined) this.keys.set(keyId, plaintext);
    return made.every(({ outcome, plaintext }) => outcome === 'created' && plaintext !== undefined);
  }

  unwrap(keyIds: readonly string[], call: Call = {}): Promise<Answer<{ readonly keys: readonly KeyOutcome[] }>> {
    return this.run.call('POST', `${this.keyring}/unwrap`, { as: 'dataKeys', ...call, body: { keyIds } });
  }

  /** The outcome of one key; of a call that failed as a whole for a cause that is named, that. */
  async unwrapOne(keyId: string, call: Call = {}): Promise<KeyOutcome> {
    const { status, body } = await this.unwrap([keyId], call);
    const { error } = body as Partial<ErrorBody>;
    if (error?.kind !== undefined)
      return { outcome: 'failure', keyId, failure: { ...error, kind: error.kind, owner: error.owner ?? '' } };
    const [outcome] = status === 200 ? body.keys : [];
    if (!outcome) throw new Error(`unwrap answered ${status}: ${JSON.stringify(body)}`);
    return outcome;
  }

  /** The keys that do not open now to the very bytes that were handed out. */
  async different(keyIds: readonly string[] = [...this.keys.keys()]): Promise<string[]> {
    const different: string[] = [];
    for (let from = 0; from < keyIds.length; from += KEYS_PER_CALL) {
      const { status, body } = await this.unwrap(keyIds.slice(from, from + KEYS_PER_CALL));
      if (status !== 200) throw new Error(`unwrap answered ${status}: ${JSON.stringify(body)}`);
      for (const { keyId, outcome, plaintext, failure } of body.keys) {
        if (plaintext !== undefined && plaintext === this.keys.get(keyId)) continue;
        different.push(`${keyId} ${failure?.code ?? outcome}`);
      }
    }
    return different;
  }

  /** A key of its own in the customer's vault, with the least access, tested green. `pem`: a key that the test knows. */
  async connect(
    customer: Customer,
    connection: { readonly id: string; readonly keyName: string; readonly pem?: string },
  ): Promise<void> {
    const { keyVault } = this.run.environment;
    const { id, keyName, pem } = connection;
    const vault = `/vaults/${customer.vaultHost}`;
    await keyVault.call('POST', `${vault}/keys`, { name: keyName, ...(pem === undefined ? {} : { pem }) });
    if (customer.name === 'fabrikam') await customer.grant();
    else {
      const grant = { principalId: customer.principalId, role: ROLE, keyName };
      await keyVault.call('PUT', `${vault}/role-assignments/${keyName}`, grant);
    }
    const { vaultUri } = customer;
    await this.enter({ id, vaultUri, keyName });
    await this.consent(customer, id);
    let last: unknown;
    // A vault that does not answer within a run's short limits, on a machine that has a lot else to do, is asked again.
    await until('a green test', async () => {
      const test = await this.must<{ status: string }>('POST', `${this.path}/connections/${id}/test`);
      last = test;
      return test.status === 'green';
    }).catch((error: unknown) => {
      throw new Error(`the connection's test: ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** What its admin types; nobody has consented to it yet. */
  async enter({
    id,
    ...key
  }: {
    readonly id: string;
    readonly vaultUri: string;
    readonly keyName: string;
  }): Promise<void> {
    await this.must('PUT', `${this.path}/connections/${id}`, { body: { ...key, credential: { kind: 'federated' } } });
  }

  async consentLink(connectionId: string): Promise<string> {
    return (await this.must<{ link: string }>('POST', `${this.path}/connections/${connectionId}/consent`)).link;
  }

  /** Asks the tenant to approve a switch. */
  async verifyLink({ kind, tenantId }: TenantRef, switchId: string): Promise<string> {
    const path = `${this.path}/tenants/${kind}/${tenantId}/verify`;
    const body = { for: 'switch', keyringId: 'default', switchId };
    return (await this.must<{ link: string }>('POST', path, { body })).link;
  }

  /** Asks the tenant to approve the next export, to a recipient as the API takes it. */
  async exportLink({ kind, tenantId }: TenantRef, recipient: unknown): Promise<string> {
    const body = { for: 'export', keyringId: 'default', recipient };
    return (await this.must<{ link: string }>('POST', `${this.path}/tenants/${kind}/${tenantId}/verify`, { body }))
      .link;
  }

  /** The Global Administrator of the customer's tenant goes through the pages of a new link. */
  async consent({ name }: Pick<Customer, 'name'>, connectionId: string): Promise<void> {
    const page = await signInAs(this.run.environment, await this.consentLink(connectionId), `${name}-global-admin`);
    if (page.status !== 200) throw new Error(`consent ended in ${page.status}: ${page.text}`);
  }

  async register({ kind, tenantId }: TenantRef): Promise<void> {
    await this.must('PUT', `${this.path}/tenants/${kind}/${tenantId}`, { body: {} });
  }

  /** Somebody goes through the pages of a new link that asks the tenant to approve a switch; answers the last page. */
  async verify(tenant: TenantRef, switchId: string, personName: string): Promise<Page> {
    return signInAs(this.run.environment, await this.verifyLink(tenant, switchId), personName);
  }

  check(connectionId: string): Promise<Health> {
    return this.must('POST', `${this.path}/connections/${connectionId}/check`);
  }

  order(switchId: string, target: Provider, call: Call = {}): Promise<Answer<SwitchView & ErrorBody>> {
    return this.run.call('PUT', this.switchPath(switchId), { asAdminOf: this.companyId, ...call, body: target });
  }

  switchPath(switchId: string): string {
    return `${this.keyring}/switches/${switchId}`;
  }

  view(switchId: string): Promise<SwitchView> {
    return this.must('GET', this.switchPath(switchId));
  }

  /** The switch once `holds` is true of it. */
  reaches(switchId: string, holds: (view: SwitchView) => boolean): Promise<SwitchView> {
    return until(`switch ${switchId} of ${this.companyId}`, async () => {
      const view = await this.view(switchId);
      return holds(view) && view;
    });
  }

  ends(switchId: string): Promise<SwitchView> {
    return this.reaches(switchId, ({ state }) => state === 'completed' || state === 'cancelled');
  }

  async switchTo(switchId: string, target: Provider): Promise<SwitchView> {
    const { status, body } = await this.order(switchId, target);
    if (status !== 202) throw new Error(`the switch was answered ${status}: ${JSON.stringify(body)}`);
    return this.ends(switchId);
  }
}
