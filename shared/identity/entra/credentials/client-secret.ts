// The company's own app in its own tenant: it shows Entra a client secret that the company gave us. Of two, the newer is tried first; the older serves
// while Entra does not take the newer.
import { ClientSecretCredential, type AccessToken } from '@azure/identity';
import { Deadline } from '../../../adapters/https/deadline.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import type { Credential } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { ClientSecret } from '../../../domain/client-secret.ts';
import type { FetchToken } from '../../client/token-cache.ts';
import { EntraTraffic } from '../client/entra-traffic.ts';
import { ofOwnApp } from '../client-secret.ts';
import { CLIENT_SECRET } from '../credential-kinds.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { failure } from '../words/failures.ts';
import {
  MAX_ANSWER_BYTES,
  NO_RETRIES,
  TENANT_SHARE,
  TOO_LATE,
  type CredentialKind,
  type CredentialParts,
} from './credential.ts';

export const clientSecret = (parts: CredentialParts): CredentialKind => ({
  kind: CLIENT_SECRET,
  isLetInByTenant: true,
  tokensIn: (tenantId, credential) => tokensIn(tenantId, credential, parts),
});

function tokensIn(tenantId: string, { clientId, secrets = [] }: Credential, parts: CredentialParts): FetchToken {
  const { timeoutMs } = parts;
  const facts = { tenantId, appId: clientId };
  return async (scope, claims) =>
    await new Deadline(timeoutMs * TENANT_SHARE).race<Result<AccessToken, Failure>>(
      async () => {
        let newestRefused: Failure | undefined;
        for (const secret of secrets) {
          const answer = await tokenBy(secret, { scope, claims, facts, parts });
          if (answer.ok || !OF_ONE_SECRET.has(answer.error.code)) return answer;
          newestRefused ??= answer.error;
        }
        return err(newestRefused ?? failure('client-secret-unavailable', { ...facts, detail: 'none is stored' }));
      },
      () => err(classifyNoAnswer({ errorCode: 'ETIMEDOUT', message: TOO_LATE }, facts)),
    );
}

/** What Entra says of one secret, and another may be good. */
const OF_ONE_SECRET: ReadonlySet<string> = new Set(['client-secret-wrong', 'client-secret-expired']);

async function tokenBy(
  secret: ClientSecret,
  asked: {
    readonly scope: string;
    readonly claims: string | undefined;
    readonly facts: FailureFacts & { readonly tenantId: string; readonly appId: string };
    readonly parts: CredentialParts;
  },
): Promise<Result<AccessToken, Failure>> {
  const { scope, claims, facts, parts } = asked;
  const { tenantId, appId } = facts;
  const opened = await parts.openSecret(secret, { tenantId, clientId: appId });
  if (!opened.ok) return err(unavailable(opened.error, facts));
  const traffic = new EntraTraffic({ maxBytes: MAX_ANSWER_BYTES, timeoutMs: parts.timeoutMs });
  const options = { enableCae: true, ...(claims === undefined ? {} : { claims }) };
  try {
    // Made anew for each token: MSAL keeps those that it has got.
    const credential = new ClientSecretCredential(tenantId, appId, opened.value, {
      authorityHost: parts.authorityHost,
      disableInstanceDiscovery: true,
      httpClient: traffic,
      ...NO_RETRIES,
    });
    return ok(await credential.getToken(scope, options));
  } catch (error) {
    return err(without(opened.value, ofOwnApp(traffic.explain(error, facts))));
  }
}

/** What was answered, wherever it repeats the secret without it: nothing of it may come into a log (invariant A22). */
function without(secret: string, found: Failure): Failure {
  const said = JSON.stringify(found);
  const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
  const told = [secret, encodeURIComponent(secret)].reduce((text, form) => text.replaceAll(inJson(form), '***'), said);
  return told === said ? found : (JSON.parse(told) as Failure);
}

/** That the vendor's own vault does not open what is stored says nothing about the company's access. */
const unavailable = (found: Failure, facts: FailureFacts): Failure =>
  found.kind === 'integrity'
    ? found
    : failure('client-secret-unavailable', { ...facts, detail: found.code }, found.service);
