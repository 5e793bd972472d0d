// The app's own managed identity: the vendor's vaults, tables and queue take its tokens, which no other tenant can grant or withdraw.
import { ManagedIdentityCredential, type AccessToken, type TokenCredential } from '@azure/identity';
import { AccessRefused } from '../../../adapters/https/access-refused.ts';
import { boundedHttps } from '../../../adapters/https/bounded-https.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import type { Failure } from '../../../domain/failure.ts';
import type { Clock } from '../../../domain/ports.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { pipelineCredential, TokenCache } from '../../client/token-cache.ts';
import { failure } from '../words/failures.ts';
import {
  MAX_ANSWER_BYTES,
  NO_RETRIES,
  OWN_SHARE,
  TOO_LATE,
  type CredentialKind,
  type CredentialParts,
} from './credential.ts';

export const OWN_IDENTITY = 'own-identity';

export const ownIdentity = ({ identity }: CredentialParts): CredentialKind => ({
  kind: OWN_IDENTITY,
  isLetInByTenant: false,
  tokensIn: () => identity.ask,
});

interface OwnIdentityOptions {
  /** Client id of the user-assigned managed identity. */
  readonly identityClientId: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export class OwnIdentity {
  readonly #identity: ManagedIdentityCredential;
  readonly #timeoutMs: number;
  readonly tokens: TokenCache;

  constructor({ identityClientId, timeoutMs, clock }: OwnIdentityOptions) {
    this.#timeoutMs = timeoutMs * OWN_SHARE;
    this.#identity = new ManagedIdentityCredential({
      clientId: identityClientId,
      httpClient: boundedHttps({ maxBytes: MAX_ANSWER_BYTES, timeoutMs: this.#timeoutMs }),
      ...NO_RETRIES,
    });
    this.tokens = new TokenCache(this.ask, clock);
  }

  /** For the clients of our own Table Storage. */
  forTables(): TokenCredential {
    return pipelineCredential(this.tokens);
  }

  /** For Service Bus, which renews a link's token by the token's true expiry and survives a renewal that fails. */
  forServiceBus(): TokenCredential {
    return {
      getToken: async (scopes) => {
        const answer = await this.tokens.token(typeof scopes === 'string' ? scopes : scopes.join(' '));
        if (!answer.ok) throw new AccessRefused(answer.error);
        return answer.value;
      },
    };
  }

  /** Asks the identity endpoint, whatever is cached here. */
  readonly ask = async (scope: string): Promise<Result<AccessToken, Failure>> => {
    try {
      return await new Deadline(this.#timeoutMs).race<Result<AccessToken, Failure>>(
        async () => ok(await this.#identity.getToken(scope)),
        () => err(failure('managed-identity-unavailable', {}, { message: TOO_LATE })),
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return err(failure('managed-identity-unavailable', {}, { message }));
    }
  };
}
