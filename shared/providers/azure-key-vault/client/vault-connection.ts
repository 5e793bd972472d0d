// One vault as one tenant's: the tenant is pinned, and a vault whose challenge names another gets no token, ever. Holds the
// SDK's clients for it. Nothing leaves without a token but the one bare request for the challenge, so a wrapped key cannot
// go out twice or unauthenticated, whatever the SDK's own policy would do (docs/azure.md).
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { CryptographyClient, KeyClient, type CryptographyClientOptions } from '@azure/keyvault-keys';
import { LRUCache } from 'lru-cache';
import { failure } from '../words/failures.ts';
import type { Failure } from '../../../domain/failure.ts';
import { parseKeyId } from '../../../domain/provider.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { classifyNoAnswer as classifyNoAnswerOfEntra } from '../../../identity/entra/no-answer.ts';
import { err, type Result } from '../../../domain/result.ts';
import { AccessRefused } from '../../../adapters/https/access-refused.ts';
import type { TokenCache } from '../../../identity/client/token-cache.ts';
import type { Deadline } from '../../../adapters/https/deadline.ts';
import { askForChallenge, readChallenge } from './vault-challenge.ts';

interface PinnedVault {
  readonly host: string;
  /** The only audience that tokens are asked for: `https://vault.azure.net`. */
  readonly audience: string;
  readonly tenantId: string;
}

/** Key versions in use at one vault: two during a switch, more only while versions are followed. */
const MAX_CRYPTOGRAPHY_CLIENTS = 16;

export class VaultConnection {
  readonly #vault: PinnedVault;
  readonly #http: HttpClient;
  readonly #tokens: () => Pick<TokenCache, 'token'>;
  #challenged: Promise<Result<unknown, Failure>> | undefined;
  readonly #keys: FirstAlone<KeyClient>;
  readonly #cryptography = new LRUCache<string, FirstAlone<CryptographyClient>>({ max: MAX_CRYPTOGRAPHY_CLIENTS });

  constructor(vault: PinnedVault, http: HttpClient, tokens: () => Pick<TokenCache, 'token'>) {
    this.#vault = vault;
    this.#http = http;
    this.#tokens = tokens;
    const url = `https://${vault.host}`;
    this.#keys = new FirstAlone(
      (transport) => new KeyClient(url, this.#credential(), clientOptions(transport)),
      this.#send,
    );
  }

  /** The vault's tenant is the pinned one, and there is a token for it. Shared by all who ask at once, failure included. */
  async ready(deadline: Deadline): Promise<Result<unknown, Failure>> {
    const { host, tenantId } = this.#vault;
    const challenged = (this.#challenged ??= this.#challenge());
    const forget = (): void => {
      if (this.#challenged === challenged) this.#challenged = undefined;
    };
    // One that threw is asked for again, like one that failed.
    challenged.catch(forget);
    const answer = await deadline.race(
      () => challenged,
      () => err(classifyNoAnswer(TOO_LATE, { vaultHost: host, tenantId })),
    );
    if (answer.ok) {
      return deadline.race<Result<unknown, Failure>>(
        () => this.#tokens().token(this.#scope),
        () => err(classifyNoAnswerOfEntra(TOO_LATE, { tenantId })),
      );
    }
    forget();
    return answer;
  }

  keys<T>(call: (client: KeyClient) => Promise<T>): Promise<T> {
    return this.#keys.use(call);
  }

  /**
   * A client for one version, made of its id alone: with no attributes it checks no dates (the service still unwraps with
   * an expired key), and with no need of the key itself it sends no `get` first (docs/azure.md).
   */
  cryptography<T>(keyId: string, call: (client: CryptographyClient) => Promise<T>): Promise<T> {
    let client = this.#cryptography.get(keyId);
    if (!client) {
      const name = parseKeyId(keyId)?.keyName ?? '';
      const key = { id: keyId, name, properties: { name, vaultUrl: `https://${this.#vault.host}` } };
      client = new FirstAlone(
        (transport) => new CryptographyClient(key, this.#credential(), clientOptions(transport)),
        this.#send,
      );
      this.#cryptography.set(keyId, client);
    }
    return client.use(call);
  }

  get #scope(): string {
    return `${this.#vault.audience}/.default`;
  }

  async #challenge(): Promise<Result<unknown, Failure>> {
    const { host, tenantId } = this.#vault;
    const answer = await askForChallenge(this.#http, this.#vault, { vaultHost: host, tenantId });
    if (!answer.ok || answer.value.tenantId === tenantId) return answer;
    return err(this.#wrongTenant(answer.value.tenantId));
  }

  #wrongTenant(found: string): Failure {
    const { host, tenantId } = this.#vault;
    return failure('wrong-entra-tenant', { vaultHost: host, tenantId, detail: `the vault names the tenant ${found}` });
  }

  /** Gives tokens only for the pinned tenant and the vault's own audience, whatever the SDK asks for. */
  #credential(): TokenCredential {
    return {
      getToken: async (scopes, options) => {
        const { tenantId, host } = this.#vault;
        const asked = options?.tenantId?.toLowerCase();
        if (asked !== tenantId) throw new AccessRefused(this.#wrongTenant(asked ?? 'none'));
        if ([scopes].flat().join(' ') !== this.#scope)
          throw new AccessRefused(failure('vault-error', { vaultHost: host, detail: 'it asks for another audience' }));
        const answer = await this.#tokens().token(this.#scope, options?.claims);
        if (!answer.ok) throw new AccessRefused(answer.error);
        // It looks expired to the SDK: see token-cache.ts.
        return { token: answer.value.token, expiresOnTimestamp: 0 };
      },
    };
  }

  readonly #send = async (request: PipelineRequest): Promise<PipelineResponse> => {
    if (!request.headers.has('authorization')) return this.#challengeAnswer(request);
    const response = await this.#http.sendRequest(request);
    if (response.status !== 401) return response;
    const challenge = readChallenge(response.headers.get('www-authenticate'));
    if (challenge && challenge.tenantId !== this.#vault.tenantId) {
      this.#challenged = undefined;
      throw new AccessRefused(this.#wrongTenant(challenge.tenantId));
    }
    // A token that is refused is refused: only a demand for claims is worth another request.
    if (challenge?.claims === undefined) response.headers.delete('www-authenticate');
    return response;
  };

  /** What the vault has answered already, in `ready`: asking it again for every client would teach nothing. */
  #challengeAnswer(request: PipelineRequest): PipelineResponse {
    const { tenantId, audience } = this.#vault;
    const challenge = `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="${audience}"`;
    return { request, status: 401, headers: createHttpHeaders({ 'www-authenticate': challenge }), bodyAsText: '' };
  }
}

const TOO_LATE = { errorCode: 'ETIMEDOUT', message: 'no answer in time' };

const clientOptions = (httpClient: HttpClient): CryptographyClientOptions => ({
  httpClient,
  retryOptions: { maxRetries: 0 },
  redirectOptions: { maxRetries: 0 },
});

/**
 * An SDK client whose first call goes alone until its token is on it: two that start at once on a new client would lose the
 * body of one of them (docs/azure.md). A client that never got so far is thrown away.
 */
class FirstAlone<C> {
  readonly #make: (transport: HttpClient) => C;
  readonly #send: HttpClient['sendRequest'];
  #client: C | undefined;
  #first: Promise<void> | undefined;

  constructor(make: (transport: HttpClient) => C, send: HttpClient['sendRequest']) {
    this.#make = make;
    this.#send = send;
  }

  async use<T>(call: (client: C) => Promise<T>): Promise<T> {
    while (this.#first) await this.#first;
    if (this.#client !== undefined) return call(this.#client);
    const { promise: authorized, resolve } = Promise.withResolvers<boolean>();
    const client = this.#make({
      sendRequest: (request) => {
        if (request.headers.has('authorization')) resolve(true);
        return this.#send(request);
      },
    });
    const calling = call(client);
    this.#first = Promise.race([
      authorized,
      calling.then(
        () => true,
        () => false,
      ),
    ]).then((usable) => {
      this.#first = undefined;
      if (usable) this.#client = client;
    });
    return calling;
  }
}
