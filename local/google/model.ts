// What there is at Google: Workspace domains with their users, consumer accounts, OAuth clients. State and rules only.
import { randomBytes, randomInt } from 'node:crypto';

export interface GoogleUser {
  /** The `sub` of ID tokens and the `id` of the directory. */
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** The Workspace domain; undefined for a consumer account. */
  readonly domain: string | undefined;
  readonly isAdmin: boolean;
  readonly isDelegatedAdmin: boolean;
}

/** A Workspace by its domain. */
export interface Workspace {
  readonly domain: string;
  /** Of Google's customer: another for each Workspace. */
  readonly customerId: string;
  /** Somebody has proved that the domain is theirs. Where an e-mail address was all that Google asked for, nobody has. */
  readonly isVerified: boolean;
}

export interface WorkspaceChanges {
  readonly customerId?: string | undefined;
  readonly isVerified?: boolean | undefined;
}

export interface OAuthClient {
  readonly clientId: string;
  readonly name: string;
  readonly secret: string;
  readonly redirectUris: Set<string>;
  /** "Session age claims" of the Google Auth Platform: whether ID tokens carry `auth_time`. For published, verified apps only. */
  tellsSessionAge: boolean;
}

export interface UserChanges {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly isAdmin?: boolean | undefined;
  readonly isDelegatedAdmin?: boolean | undefined;
}

const MAX_USERS = 10_000;

export interface KeptAccounts {
  /** By domain. */
  readonly workspaces: Map<string, Workspace>;
  /** By address. */
  readonly users: Map<string, GoogleUser>;
  /** By id. */
  readonly clients: Map<string, OAuthClient>;
}

export class Accounts {
  readonly #workspaces: Map<string, Workspace>;
  readonly #users: Map<string, GoogleUser>;
  readonly #clients: Map<string, OAuthClient>;

  constructor(kept?: KeptAccounts) {
    this.#workspaces = kept?.workspaces ?? new Map<string, Workspace>();
    this.#users = kept?.users ?? new Map<string, GoogleUser>();
    this.#clients = kept?.clients ?? new Map<string, OAuthClient>();
  }

  /** All that there is, to be kept. */
  kept(): KeptAccounts {
    return { workspaces: this.#workspaces, users: this.#users, clients: this.#clients };
  }

  /** Again, it changes nothing but what is told: another customer id makes another Workspace of the same domain. */
  putWorkspace(domain: string, changes: WorkspaceChanges): Workspace {
    const name = domain.toLowerCase();
    const before = this.#workspaces.get(name);
    const workspace = {
      domain: name,
      customerId: changes.customerId ?? before?.customerId ?? `C0${randomBytes(4).toString('hex').slice(1)}`,
      isVerified: changes.isVerified ?? before?.isVerified ?? true,
    };
    this.#workspaces.set(name, workspace);
    return workspace;
  }

  workspaceOf(domain: string | undefined): Workspace | undefined {
    return domain === undefined ? undefined : this.#workspaces.get(domain.toLowerCase());
  }

  /** Someone whose address is in no Workspace domain has a consumer account. */
  putUser(email: string, changes: UserChanges): GoogleUser {
    const address = email.toLowerCase();
    const before = this.#users.get(address);
    if (!before && this.#users.size >= MAX_USERS) throw new Error('too many users');
    const domain = address.slice(address.indexOf('@') + 1);
    const user: GoogleUser = {
      id: changes.id ?? before?.id ?? newId(),
      email: address,
      name: changes.name ?? before?.name ?? address,
      domain: this.#workspaces.has(domain) ? domain : undefined,
      isAdmin: changes.isAdmin ?? before?.isAdmin ?? false,
      isDelegatedAdmin: changes.isDelegatedAdmin ?? before?.isDelegatedAdmin ?? false,
    };
    this.#users.set(address, user);
    return user;
  }

  removeUser(email: string): boolean {
    return this.#users.delete(email.toLowerCase());
  }

  findUser(emailOrId: string): GoogleUser | undefined {
    return this.#users.get(emailOrId.toLowerCase()) ?? [...this.#users.values()].find(({ id }) => id === emailOrId);
  }

  usersOf(domain: string): readonly GoogleUser[] {
    return [...this.#users.values()].filter((user) => user.domain === domain.toLowerCase());
  }

  putClient(client: Omit<OAuthClient, 'redirectUris' | 'tellsSessionAge'>): OAuthClient {
    const { redirectUris = new Set<string>(), tellsSessionAge = false } = this.#clients.get(client.clientId) ?? {};
    const whole = { ...client, redirectUris, tellsSessionAge };
    this.#clients.set(client.clientId, whole);
    return whole;
  }

  findClient(clientId: string): OAuthClient | undefined {
    return this.#clients.get(clientId);
  }

  client(clientId: string): OAuthClient {
    const client = this.findClient(clientId);
    if (!client) throw new Error(`no client ${clientId}`);
    return client;
  }
}

/** 21 digits, as Google's are. */
function newId(): string {
  const half = (): string => String(randomInt(1_000_000_000, 9_999_999_999));
  return `1${half()}${half()}`;
}
