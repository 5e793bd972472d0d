// A person's sign-in at Google, with the one secret of this product: the OAuth client's. Access for the length of the sign-in
// only, no refresh token. Reads who signed in, from which Workspace, and what its directory says of them.
import type { ClientAuth } from 'openid-client';
import { failure } from '../words/failures.ts';
import type { Failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { SignInCallback, SignInClient, SignInRequest } from '../../identity.ts';
import type { GooglePerson } from '../admin.ts';
import { googleRefusal } from '../sign-in-answer.ts';
import type { AnswerLimits } from '../../../adapters/https/bounded-https.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';
import { askDirectory, DIRECTORY_SCOPES } from './google-directory.ts';
import { GoogleTraffic } from './google-traffic.ts';
import type { OpenIdClient, OpenIdService } from '../../client/open-id-client.ts';

export interface GoogleOptions {
  /** Absent where the vendor has no OAuth client: then no Workspace can be verified. */
  readonly client: { readonly clientId: string; readonly clientSecret: string } | undefined;
  readonly limits: AnswerLimits;
}

const ISSUER = 'https://accounts.google.com';
const MAX_NAME_CHARACTERS = 200;

export class GoogleSignIn implements SignInClient<GooglePerson> {
  readonly #options: GoogleOptions;
  readonly #openId: OpenIdClient;

  constructor(options: GoogleOptions, openId: OpenIdClient) {
    this.#options = options;
    this.#openId = openId;
  }

  async url(request: SignInRequest & { readonly tenantId: string }): Promise<Result<string, Failure>> {
    const service = this.#service(this.#traffic());
    if (!service.ok) return service;
    return this.#openId.authorizationUrl(service.value, request, {
      scope: ['openid email', ...DIRECTORY_SCOPES].join(' '),
      access_type: 'online',
      // Google knows no `login` and no `max_age`: we cannot make it ask for a new sign-in.
      prompt: 'select_account',
      // A hint: whose account it was in the end, the ID token says.
      hd: request.tenantId,
    });
  }

  async redeem(callback: SignInCallback): Promise<Result<GooglePerson, Failure>> {
    const http = this.#traffic();
    const service = this.#service(http);
    if (!service.ok) return service;
    const redeemed = await this.#openId.redeem(service.value, callback);
    if (!redeemed.ok) return redeemed;
    const { claims, accessToken, scope, authenticatedAt } = redeemed.value;
    const { email, hd } = claims;
    if (typeof email !== 'string' || !(hd === undefined || typeof hd === 'string'))
      return err(failure('id-token-invalid'));
    const person = {
      subject: claims.sub,
      email: email.slice(0, MAX_NAME_CHARACTERS),
      ...(authenticatedAt === undefined ? {} : { authenticatedAt }),
    };
    if (hd === undefined || hd === '') return ok({ ...person, isSuperAdmin: false, isDelegatedAdmin: false });
    // Google's page lets people take single permissions out.
    const granted = scope?.split(' ') ?? DIRECTORY_SCOPES;
    if (!DIRECTORY_SCOPES.every((one) => granted.includes(one))) return err(failure('consent-declined'));
    const domain = hd.toLowerCase();
    const standing = await askDirectory(http, { accessToken, subject: claims.sub, domain });
    return standing.ok ? ok({ ...person, domain, ...standing.value }) : standing;
  }

  /** For one call and as long as that may take, however many requests it needs. */
  #traffic(): GoogleTraffic {
    const { limits } = this.#options;
    return new GoogleTraffic(limits, new Deadline(limits.timeoutMs));
  }

  #service(http: GoogleTraffic): Result<OpenIdService, Failure> {
    const { client } = this.#options;
    if (!client) return err(failure('google-not-configured', { detail: 'no OAuth client is set up' }));
    const authentication: ClientAuth = (_server, { client_id: clientId }, body) => {
      body.set('client_id', clientId);
      body.set('client_secret', client.clientSecret);
    };
    return ok({
      issuer: ISSUER,
      clientId: client.clientId,
      http,
      authenticate: () => Promise.resolve(ok(authentication)),
      refused: googleRefusal,
      explain: (error) => http.explain(error),
    });
  }
}
