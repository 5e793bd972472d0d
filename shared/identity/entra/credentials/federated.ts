// The connector app in a customer's tenant: it shows Entra a token of our own identity in place of a secret.
import { ClientAssertionCredential, type AccessToken } from '@azure/identity';
import { AccessRefused } from '../../../adapters/https/access-refused.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import type { Failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { FetchToken } from '../../client/token-cache.ts';
import { aadstsOf } from '../answers.ts';
import { EntraTraffic } from '../client/entra-traffic.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { tokenExchangeAudience } from '../token-exchange.ts';
import { NO_SUCH_AUDIENCE } from '../words/app-failures.ts';
import { failure } from '../words/failures.ts';
import {
  MAX_ANSWER_BYTES,
  NO_RETRIES,
  TENANT_SHARE,
  TOO_LATE,
  type CredentialKind,
  type CredentialParts,
} from './credential.ts';
import { FEDERATED } from '../credential-kinds.ts';

/** AADSTS500011: the resource that a token is asked for is not there. */
const NO_SUCH_RESOURCE = 500011;

export const federated = (parts: CredentialParts): CredentialKind => ({
  kind: FEDERATED,
  isLetInByTenant: true,
  tokensIn: (tenantId) => tokensIn(tenantId, parts),
});

/** What the connector app shows Entra in place of a secret: a token of our identity, for nothing but that. */
export async function assertionOf(parts: CredentialParts): Promise<Result<string, Failure>> {
  const { authorityHost, tokenExchangeAudience: audience = tokenExchangeAudience(authorityHost) } = parts;
  const answer = await parts.identity.tokens.token(`${audience}/.default`);
  if (answer.ok) return ok(answer.value.token);
  // The identity endpoint hands on what Entra says of the audience, in the words of its own refusals.
  const { service } = answer.error;
  const isUnknown = aadstsOf(service?.message ?? '') === NO_SUCH_RESOURCE;
  const facts = { appId: parts.connectorClientId, detail: NO_SUCH_AUDIENCE };
  return isUnknown ? err(failure('federation-mismatch', facts, service)) : answer;
}

function tokensIn(tenantId: string, parts: CredentialParts): FetchToken {
  const { timeoutMs, connectorClientId: appId } = parts;
  const traffic = new EntraTraffic({ maxBytes: MAX_ANSWER_BYTES, timeoutMs });
  const facts = { tenantId, appId };
  return async (scope, claims) => {
    const options = { enableCae: true, ...(claims === undefined ? {} : { claims }) };
    try {
      return await new Deadline(timeoutMs * TENANT_SHARE).race<Result<AccessToken, Failure>>(
        async () => ok(await credentialIn(tenantId, parts, traffic).getToken(scope, options)),
        () => err(classifyNoAnswer({ errorCode: 'ETIMEDOUT', message: TOO_LATE }, facts)),
      );
    } catch (error) {
      return err(traffic.explain(error, facts));
    }
  };
}

/** Made anew for each token: MSAL keeps those that it has got, and would answer an old one for an hour. */
const credentialIn = (tenantId: string, parts: CredentialParts, httpClient: EntraTraffic): ClientAssertionCredential =>
  new ClientAssertionCredential(
    tenantId,
    parts.connectorClientId,
    async () => {
      const answer = await assertionOf(parts);
      if (!answer.ok) throw new AccessRefused(answer.error);
      return answer.value;
    },
    {
      authorityHost: parts.authorityHost,
      // The authority comes from our settings: MSAL need not check it.
      disableInstanceDiscovery: true,
      httpClient,
      ...NO_RETRIES,
    },
  );
