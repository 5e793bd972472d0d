// A person's sign-in at the Entra tenant that is to be vouched for: always that tenant's own authority, never a shared one.
// The connector app proves itself with a token of our managed identity; there is no secret. Reads who signed in and with
// which roles; what that entitles to is decided elsewhere.
import type { ClientAuth, IDToken } from 'openid-client';
import { failure } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { isGuid } from '../../../domain/ids.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { SignInCallback, SignInRequest } from '../../identity.ts';
import type { MicrosoftPerson } from '../admin.ts';
import { microsoftRefusal, ofPerson } from '../sign-in-answer.ts';
import type { MicrosoftClient } from '../tenant-kind.ts';
import type { AnswerLimits } from '../../../adapters/https/bounded-https.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import { EntraTraffic } from './entra-traffic.ts';
import type { OpenIdClient, OpenIdService } from '../../client/open-id-client.ts';

export interface MicrosoftOptions {
  /** `https://login.microsoftonline.com`; sovereign clouds have others. */
  readonly authorityHost: string;
  readonly connectorClientId: string;
  readonly assertion: () => Promise<Result<string, Failure>>;
  readonly limits: AnswerLimits;
}

/** All that is asked for: who signs in. Access to a vault is a role there, not a permission here. */
const SCOPE = 'openid profile';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_NAME_CHARACTERS = 200;

export class MicrosoftSignIn implements MicrosoftClient {
  readonly #options: MicrosoftOptions;
  readonly #openId: OpenIdClient;
  readonly #authority: string;

  constructor(options: MicrosoftOptions, openId: OpenIdClient) {
    this.#options = options;
    this.#openId = openId;
    this.#authority = options.authorityHost.replace(/\/+$/, '');
  }

  adminConsentUrl(request: {
    readonly tenantId: string;
    readonly redirectUri: string;
    readonly state: string;
  }): string {
    const url = new URL(`${this.#authority}/${request.tenantId}/v2.0/adminconsent`);
    url.search = new URLSearchParams({
      client_id: this.#options.connectorClientId,
      scope: SCOPE,
      redirect_uri: request.redirectUri,
      state: request.state,
    }).toString();
    return url.href;
  }

  url(request: SignInRequest & { readonly tenantId: string }): Promise<Result<string, Failure>> {
    // A person who has a session shows anew who they are. No `max_age`: Entra then ends the ID token that much after the sign-in.
    const parameters = { scope: SCOPE, response_mode: 'query', prompt: 'login' };
    return this.#openId.authorizationUrl(this.#service(request.tenantId), request, parameters);
  }

  async redeem(callback: SignInCallback & { readonly tenantId: string }): Promise<Result<MicrosoftPerson, Failure>> {
    const redeemed = await this.#openId.redeem(this.#service(callback.tenantId), callback);
    if (!redeemed.ok) return redeemed;
    const { claims, authenticatedAt } = redeemed.value;
    const person = personIn(claims, callback.tenantId);
    return person.ok && authenticatedAt ? ok({ ...person.value, authenticatedAt }) : person;
  }

  #service(tenantId: string): OpenIdService {
    const { connectorClientId: clientId, limits } = this.#options;
    const facts: FailureFacts = { tenantId, appId: clientId };
    const http = new EntraTraffic(limits, new Deadline(limits.timeoutMs));
    return {
      issuer: `${this.#authority}/${tenantId}/v2.0`,
      clientId,
      http,
      authenticate: () => this.#authentication(),
      refused: (told) => microsoftRefusal(told, facts),
      explain: (error) => ofPerson(http.explain(error, facts)),
    };
  }

  async #authentication(): Promise<Result<ClientAuth, Failure>> {
    const assertion = await this.#options.assertion();
    if (!assertion.ok) return assertion;
    return ok((_server, { client_id: clientId }, body) => {
      body.set('client_id', clientId);
      body.set('client_assertion_type', JWT_BEARER);
      body.set('client_assertion', assertion.value);
    });
  }
}

/** All tenants' tokens carry the signature of the same keys, so the claim has to agree with the issuer that was verified. */
function personIn(claims: IDToken, expectedTenantId: string): Result<MicrosoftPerson, Failure> {
  const tenantId = lowerGuid(claims['tid']);
  if (tenantId !== expectedTenantId) return err(failure('id-token-wrong-issuer', { tenantId: expectedTenantId }));
  const objectId = lowerGuid(claims['oid']);
  const wids = claims['wids'];
  if (objectId === undefined || !(wids === undefined || Array.isArray(wids))) return err(failure('id-token-invalid'));
  const name = [claims['preferred_username'], claims['name'], objectId].find((text) => typeof text === 'string');
  return ok({
    tenantId,
    objectId,
    displayName: String(name).slice(0, MAX_NAME_CHARACTERS),
    ...(wids === undefined
      ? {}
      : { roleTemplateIds: wids.map(lowerGuid).filter((id): id is string => id !== undefined) }),
  });
}

function lowerGuid(value: unknown): string | undefined {
  const lower = typeof value === 'string' ? value.toLowerCase() : '';
  return isGuid(lower) ? lower : undefined;
}
