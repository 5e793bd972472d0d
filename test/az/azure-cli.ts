// `az`, as far as remedies use it: each command is the equal call of a stand-in. What a stand-in refuses is thrown, and so is a command that is
// not known here.
import { createKeyVaultAdmin, type KeyVaultAdmin } from './key-vault-admin.ts';
import { runLine } from './shell.ts';
import type { Environment } from '../../local/environment.ts';
import { VAULT_AUDIENCE, VENDOR_TENANT_ID } from '../../local/identities.ts';

/** Microsoft's own application Azure Key Vault. */
const KEY_VAULT_APP_ID = 'cfa8b339-82a2-471a-a3c9-0fc0be7a4093';

type Environs = Pick<Environment, 'entra' | 'keyVault'>;

/** What follows an option, up to the next. */
type Arguments = Readonly<Record<string, readonly string[]>>;

export class AzureCli {
  /** Commands with their options, without values: what has been tried. */
  readonly tried = new Set<string>();
  readonly #environment: Environs;
  readonly #admin: KeyVaultAdmin;
  #tenantId: string;

  /** Signed in as an administrator of the tenant. */
  constructor(environment: Environs, tenantId: string) {
    this.#environment = environment;
    this.#tenantId = tenantId;
    this.#admin = createKeyVaultAdmin(environment);
  }

  /** All lines, one after the other; answers what the last one printed. */
  async run(script: string): Promise<string> {
    let printed = '';
    for (const line of script.split('\n')) printed = await runLine(line, (words) => this.#command(words));
    return printed;
  }

  async #command(words: readonly string[]): Promise<string> {
    const { program, name, given } = parsed(words);
    if (program === 'date') return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    if (program !== 'az') throw new Error(`no such command: ${program ?? ''}`);
    const command = this.#commands[name];
    if (!command) throw new Error(`'${name}' is misspelled or not recognized by the system.`);
    this.tried.add(shapeOf(name, given));
    return queried(await command(given), given);
  }

  readonly #commands: Readonly<Record<string, (given: Arguments) => Promise<unknown>>> = {
    login: (given) => {
      this.#tenantId = one(given, 'tenant');
      return Promise.resolve([]);
    },
    'account show': () => Promise.resolve({ tenantId: this.#tenantId }),
    'ad sp show': async (given) => {
      const { objectId } = (await this.#entra('GET', this.#principal(given))) as { objectId: string };
      return { id: objectId, appId: one(given, 'id') };
    },
    'ad sp create': async (given) => {
      if (one(given, 'id') === KEY_VAULT_APP_ID) return this.#keyVaultsPrincipal();
      const there = await this.#entra('GET', this.#principal(given)).catch(() => undefined);
      if (there)
        throw new Error('The service principal cannot be created, updated, or restored: it is already in use.');
      return this.#entra('PUT', this.#principal(given), {});
    },
    'ad sp update': async (given) => {
      if (one(given, 'set') !== 'accountEnabled=true') throw new Error('not known here');
      if (one(given, 'id') === KEY_VAULT_APP_ID) return this.#keyVaultsPrincipal();
      await this.#entra('GET', this.#principal(given));
      return this.#entra('PUT', this.#principal(given), { enabled: true });
    },
    'ad app update': (given) => {
      const manifest = `/apps/${one(given, 'id')}/manifest`;
      if (given['optional-claims']) {
        const { idToken = [] } = JSON.parse(one(given, 'optional-claims')) as { idToken?: { name: string }[] };
        return this.#entra('PATCH', manifest, { optionalIdTokenClaims: idToken.map((claim) => claim.name) });
      }
      const [name = '', value] = one(given, 'set').split('=');
      return this.#entra('PATCH', manifest, { [name]: value });
    },
    'ad app credential reset': async (given) => {
      if (!given['append']) throw new Error('without --append every other secret would be gone');
      const made = (await this.#entra('POST', `/apps/${one(given, 'id')}/secrets`, {})) as { value: string };
      return { password: made.value };
    },
    'ad app federated-credential list': (given) =>
      this.#entra('GET', `/apps/${one(given, 'id')}/federated-credentials`),
    'role assignment create': async (given) => {
      const principalId = one(given, 'assignee-object-id');
      if (one(given, 'assignee-principal-type') !== 'ServicePrincipal') throw new Error('not a service principal');
      const assignment = { principalId, role: one(given, 'role'), scope: one(given, 'scope') };
      return this.#vault('POST', '/management/role-assignments', assignment);
    },
    'keyvault show': (given) => this.#vault('GET', this.#place(given)),
    'keyvault show-deleted': (given) => this.#vault('GET', `/management/deleted-vaults/${this.#host(given)}`),
    'keyvault update': (given) =>
      this.#vault('PATCH', this.#place(given), {
        ...flag(given, 'enable-rbac-authorization', 'enableRbacAuthorization'),
        ...flag(given, 'enable-purge-protection', 'enablePurgeProtection'),
        ...text(given, 'public-network-access', 'publicNetworkAccess'),
        ...text(given, 'default-action', 'defaultAction'),
      }),
    'keyvault recover': (given) => this.#vault('POST', `/vaults/${this.#host(given)}/recover`),
    'keyvault network-rule add': (given) =>
      this.#vault('POST', `${this.#place(given)}/network-rules`, { ipAddress: one(given, 'ip-address') }),
    'keyvault set-policy': (given) =>
      this.#vault('POST', `${this.#place(given)}/policies`, {
        objectId: one(given, 'object-id'),
        keyPermissions: given['key-permissions'],
      }),
    'keyvault key list': async (given) => this.#admin.list(this.#keyHost(given)),
    'keyvault key show': (given) => this.#admin.show(this.#key(given)),
    'keyvault key recover': (given) => this.#admin.recover(this.#key(given)),
    'keyvault key rotate': (given) => this.#admin.rotate(this.#key(given)),
    'keyvault key create': (given) =>
      this.#admin.create(this.#key(given), {
        kty: one(given, 'kty'),
        size: Number(one(given, 'size')),
        operations: given['ops'] ?? [],
      }),
    'keyvault key set-attributes': (given) => {
      const notBefore = given['not-before']?.[0];
      return this.#admin.update(this.#key(given), {
        ...(given['enabled'] ? { enabled: one(given, 'enabled') === 'true' } : {}),
        ...(notBefore === undefined ? {} : { notBefore: new Date(notBefore) }),
        ...(given['ops'] ? { operations: given['ops'] } : {}),
      });
    },
  };

  async #keyVaultsPrincipal(): Promise<unknown> {
    return this.#entra('PUT', `/tenants/${this.#tenantId}/resources`, { resource: VAULT_AUDIENCE, state: 'enabled' });
  }

  #entra(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#environment.entra.call(method, path, body);
  }

  #vault(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#environment.keyVault.call(method, path, body);
  }

  readonly #principal = (given: Arguments): string =>
    `/tenants/${this.#tenantId}/service-principals/${one(given, 'id')}`;
  readonly #host = (given: Arguments): string => `${one(given, 'name')}.vault.azure.net`;
  readonly #keyHost = (given: Arguments): string => `${one(given, 'vault-name')}.vault.azure.net`;
  readonly #place = (given: Arguments): string => `/management/vaults/${this.#host(given)}`;
  readonly #key = (given: Arguments): { host: string; name: string; version?: string } => {
    if (!given['id']) return { host: this.#keyHost(given), name: one(given, 'name') };
    const { host, pathname } = new URL(one(given, 'id'));
    const [, , name = '', version] = pathname.split('/');
    return { host, name, ...(version === undefined ? {} : { version }) };
  };
}

/** Whoever registers apps at the vendor. */
export const vendorsCli = (environment: Environs): AzureCli => new AzureCli(environment, VENDOR_TENANT_ID);

/** The commands of a script, as `tried` names them; nested ones too. */
export async function shapesOf(script: string): Promise<readonly string[]> {
  const shapes: string[] = [];
  const note = (words: readonly string[]): Promise<string> => {
    const { program, name, given } = parsed(words);
    if (program === 'az') shapes.push(shapeOf(name, given));
    return Promise.resolve('value');
  };
  for (const line of script.split('\n')) await runLine(line, note);
  return shapes;
}

function parsed([program, ...rest]: readonly string[]): { program?: string; name: string; given: Arguments } {
  const end = rest.findIndex((word) => word.startsWith('--'));
  const [name, options] = end < 0 ? [rest, []] : [rest.slice(0, end), rest.slice(end)];
  return { ...(program === undefined ? {} : { program }), name: name.join(' '), given: argumentsOf(options) };
}

const shapeOf = (name: string, given: Arguments): string =>
  [
    name,
    ...Object.keys(given)
      .filter((option) => option !== 'output')
      .map((option) => `--${option}`)
      .sort(),
  ].join(' ');

function argumentsOf(words: readonly string[]): Arguments {
  const given: Record<string, string[]> = {};
  let current: string[] = [];
  for (const word of words) {
    if (word.startsWith('--')) given[word.slice(2)] = current = [];
    else current.push(word);
  }
  return given;
}

function one(given: Arguments, option: string): string {
  const values = given[option];
  if (values?.length !== 1 || values[0] === undefined) throw new Error(`--${option}: expected one argument`);
  return values[0];
}

const flag = (given: Arguments, option: string, name: string): object =>
  given[option] ? { [name]: one(given, option) === 'true' } : {};
const text = (given: Arguments, option: string, name: string): object =>
  given[option] ? { [name]: one(given, option) } : {};

/** JMESPath as far as it is used: a path, `[].name`, or a choice of fields of a list. */
function queried(value: unknown, given: Arguments): string {
  const [query] = given['query'] ?? [];
  if (query === undefined) return JSON.stringify(value ?? null);
  if (query.startsWith('[]')) {
    const fields = [...query.matchAll(/[.{ ](\w+)(?:,|}|$|:)/g)].map(([, name = '']) => name);
    const rows = (value as Record<string, string | undefined>[]).map((row) => fields.map((field) => row[field] ?? ''));
    return rows.map((row) => row.join('\t')).join('\n');
  }
  const found = query
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);
  if (Array.isArray(found)) return found.join('\n');
  if (typeof found !== 'string') throw new Error(`nothing at ${query}`);
  return found;
}
