// The people of the embedded run: for every customer three of its own tenant, and for contoso those of the tenants that
// hold its data, two of Microsoft 365 and one of Google Workspace. Each is found by a name: `contoso-global-admin`.
import type { RemoteControl } from '../control/remote-control.ts';
import { DIRECTORY_ROLES } from '../entra/users.ts';
import { CUSTOMER_NAMES, type Customer, type CustomerName } from './customers.ts';

export interface EnvironmentPerson {
  readonly name: string;
  readonly provider: 'microsoft' | 'google';
  readonly userName: string;
  readonly displayName: string;
  /** Id of the Entra tenant, or the Workspace domain. */
  readonly tenant: string;
}

/** Where data of contoso is, beside its own tenant. */
export const DATA_TENANTS = {
  europe: {
    kind: 'microsoft',
    tenant: '7e5d0000-0000-4000-8000-00000000c101',
    domain: 'contoso-europe.onmicrosoft.com',
  },
  research: {
    kind: 'microsoft',
    tenant: '7e5d0000-0000-4000-8000-00000000c102',
    domain: 'contoso-research.onmicrosoft.com',
  },
  workspace: { kind: 'google', tenant: 'contoso.example', domain: 'contoso.example' },
} as const;

interface Role {
  readonly name: string;
  readonly address: string;
  readonly displayName: string;
}

const MICROSOFT_PEOPLE: readonly (Role & { readonly roles: readonly string[] })[] = [
  { name: 'global-admin', address: 'grace', displayName: 'Grace Global', roles: [DIRECTORY_ROLES.globalAdministrator] },
  {
    name: 'privileged-role-admin',
    address: 'peter',
    displayName: 'Peter Privileged',
    roles: [DIRECTORY_ROLES.privilegedRoleAdministrator],
  },
  { name: 'user', address: 'uma', displayName: 'Uma User', roles: [] },
];

const GOOGLE_PEOPLE: readonly (Role & { readonly rights: object })[] = [
  { name: 'super-admin', address: 'sofia', displayName: 'Sofia Super', rights: { isAdmin: true } },
  { name: 'delegated-admin', address: 'dan', displayName: 'Dan Delegated', rights: { isDelegatedAdmin: true } },
  { name: 'user', address: 'uli', displayName: 'Uli User', rights: {} },
];

/** `isNew` is false where an earlier run has made them. */
export async function createPersons(
  controls: { readonly entra: RemoteControl; readonly google: RemoteControl },
  customers: Readonly<Record<CustomerName, Customer>>,
  isNew: boolean,
): Promise<Readonly<Record<string, EnvironmentPerson>>> {
  const ask = async (control: 'entra' | 'google', method: string, path: string, body?: object): Promise<void> => {
    if (isNew) await controls[control].call(method, path, body);
  };
  const { europe, research, workspace } = DATA_TENANTS;
  const dataTenants = [
    { name: 'contoso-europe', ...europe },
    { name: 'contoso-research', ...research },
  ];
  for (const { name, tenant, domain } of dataTenants) {
    await ask('entra', 'POST', '/tenants', { tenantId: tenant, displayName: name, domains: [domain] });
  }
  const ofCustomers = CUSTOMER_NAMES.map((name) => ({
    name,
    tenant: customers[name].tenantId,
    domain: `${name}.onmicrosoft.com`,
  }));
  const persons: EnvironmentPerson[] = [];
  for (const { name, tenant, domain } of [...ofCustomers, ...dataTenants]) {
    for (const { roles, ...role } of MICROSOFT_PEOPLE) {
      const person = personOf(role, { provider: 'microsoft', name, tenant, domain });
      const { userName, displayName } = person;
      await ask('entra', 'PUT', `/tenants/${tenant}/users/${userName}`, { displayName, roles });
      persons.push(person);
    }
  }
  await ask('google', 'PUT', `/domains/${workspace.domain}`);
  for (const { rights, ...role } of GOOGLE_PEOPLE) {
    const person = personOf(role, { provider: 'google', name: 'contoso-google', ...workspace });
    await ask('google', 'PUT', `/users/${person.userName}`, { name: person.displayName, ...rights });
    persons.push(person);
  }
  return Object.fromEntries(persons.map((person) => [person.name, person]));
}

function personOf(
  { name, address, displayName }: Role,
  home: Pick<EnvironmentPerson, 'provider' | 'name' | 'tenant'> & { readonly domain: string },
): EnvironmentPerson {
  const { provider, tenant, domain } = home;
  return { name: `${home.name}-${name}`, provider, userName: `${address}@${domain}`, displayName, tenant };
}
