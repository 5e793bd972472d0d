// The steps on the way to a key, one by one, for a connection test: reach the vault, hear whose it is, get a token.
import { connect } from 'node:tls';
import { failure } from '../words/failures.ts';
import type { Failure } from '../../../domain/failure.ts';
import { isGuid } from '../../../domain/ids.ts';
import type { Credential, VaultTarget } from '../../../domain/provider.ts';
import { isRecord } from '../../../domain/plain-object.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { FederationShown } from '../../provider.ts';
import type { ConnectionProbe } from '../vaults.ts';
import { askForChallenge, noAnswerFrom } from './vault-challenge.ts';
import type { VaultPool } from './vault-pool.ts';

const HTTPS_PORT = 443;

export class AzureConnectionProbe implements ConnectionProbe {
  readonly #pool: VaultPool;

  constructor(pool: VaultPool) {
    this.#pool = pool;
  }

  admits(credential: Credential): Result<void, Failure> {
    return this.#pool.credentials.admits(credential);
  }

  async federationShown({ kind }: Credential): Promise<FederationShown | undefined> {
    if (kind !== 'federated') return undefined;
    const assertion = await this.#pool.credentials.assertion();
    const { iss, sub } = assertion.ok ? claimsOf(assertion.value) : {};
    return typeof iss === 'string' && typeof sub === 'string' ? { issuer: iss, subject: sub } : undefined;
  }

  reach(host: string): Promise<Result<void, Failure>> {
    const allowed = this.#pool.audienceOf(host);
    if (!allowed.ok) return Promise.resolve(allowed);
    const { timeoutMs } = this.#pool;
    return new Promise((resolve) => {
      const socket = connect({ host, port: HTTPS_PORT, servername: host });
      const end = (result: Result<void, Failure>): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(result);
      };
      const fail = (code: string, message: string): void => {
        clearTimeout(timer);
        void noAnswerFrom({ code, message }, { vaultHost: host }).then((failed) => end(err(failed)));
      };
      const timer = setTimeout(() => fail('ETIMEDOUT', `no connection within ${timeoutMs} ms`), timeoutMs);
      socket.once('secureConnect', () => end(ok(undefined)));
      socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.name, error.message));
    });
  }

  async challengedTenant(host: string): Promise<Result<string, Failure>> {
    const audience = this.#pool.audienceOf(host);
    if (!audience.ok) return audience;
    const vault = { host, audience: audience.value };
    const challenge = await askForChallenge(this.#pool.http, vault, { vaultHost: host });
    return challenge.ok ? ok(challenge.value.tenantId) : challenge;
  }

  async obtainToken(target: VaultTarget): Promise<Result<{ readonly principalId: string }, Failure>> {
    const audience = this.#pool.audienceOf(target.host);
    if (!audience.ok) return audience;
    const credential = this.#pool.credentialOf(target);
    if (!credential.ok) return credential;
    const scope = `${audience.value}/.default`;
    const answer = await this.#pool.credentials.freshToken(credential.value, target.tenantId, scope);
    if (!answer.ok) return answer;
    const principalId = objectIdOf(answer.value.token);
    if (principalId !== undefined) return ok({ principalId });
    return err(failure('entra-error', { ...this.#pool.facts(target), detail: 'its token names no principal' }));
  }
}

/** The `oid` of a token that came straight from Entra, so its signature need not be checked. */
function objectIdOf(token: string): string | undefined {
  const { oid } = claimsOf(token);
  return typeof oid === 'string' && isGuid(oid.toLowerCase()) ? oid.toLowerCase() : undefined;
}

/** Empty if it is no token. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : {};
  } catch {
    return {};
  }
}
