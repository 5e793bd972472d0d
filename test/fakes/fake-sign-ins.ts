// Microsoft and Google as sign-ins see them, in memory. A test sends a person to the address that an operation answered, and
// gets the query of the redirect back; codes count once, and state, nonce and verifier have to fit, as they do for real.
import { createHash } from 'node:crypto';
import { failure } from '../../shared/failures.ts';
import type { Failure, FailureCode } from '../../shared/domain/failure.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import type { Clock } from '../../shared/domain/ports.ts';
import type { MicrosoftPerson } from '../../shared/identity/entra/admin.ts';
import { microsoftRefusal } from '../../shared/identity/entra/sign-in-answer.ts';
import type { MicrosoftClient } from '../../shared/identity/entra/tenant-kind.ts';
import type { GooglePerson } from '../../shared/identity/google/admin.ts';
import { googleRefusal } from '../../shared/identity/google/sign-in-answer.ts';
import type { SignInCallback, SignInClient, SignInRequest, SignIns } from '../../shared/identity/identity.ts';
import { callbackErrorOf, stateOf } from '../../shared/identity/oauth-answer.ts';
import { signInsOver, type SignInClients } from '../../shared/identity/registry/tenant-kinds.ts';

type Person =
  | { readonly service: 'microsoft'; readonly person: MicrosoftPerson }
  | { readonly service: 'google'; readonly person: GooglePerson };

interface Grant {
  readonly who: Person;
  readonly authenticatedAt: Date;
  readonly asked: URL;
  isRedeemed: boolean;
}

type Step = 'adminConsentUrl' | 'microsoftUrl' | 'redeemMicrosoft' | 'googleUrl' | 'redeemGoogle';

export class FakeSignIns implements SignIns, SignInClients {
  /** What was asked, in order: `redeemMicrosoft 11111111-…`. */
  readonly calls: string[] = [];
  /** Whether ID tokens carry `auth_time`: Microsoft's as the connector app's manifest asks, Google's as the vendor has set up. */
  readonly tellsAuthTime = { microsoft: true, google: false };
  readonly #clock: Clock;
  readonly #planned: { readonly step: Step; readonly failure: Failure }[] = [];
  readonly #grants = new Map<string, Grant>();

  constructor(clock: Clock) {
    this.#clock = clock;
    const over = signInsOver(this);
    this.of = (kind) => over.of(kind);
    this.consent = over.consent;
  }

  /** The next call of this step fails so. */
  failNext(step: Exclude<Step, 'adminConsentUrl'>, code: FailureCode | Failure): void {
    this.#planned.push({ step, failure: typeof code === 'string' ? failure(code) : code });
  }

  /**
   * The person signs in at the address that an operation sent the browser to, or was signed in since `authenticatedAt`. Answers the query of the
   * redirect back.
   */
  signIn(address: string, who: Person, authenticatedAt = this.#clock.now()): string {
    const asked = new URL(address);
    const code = `code-${this.#grants.size + 1}`;
    this.#grants.set(code, { who, authenticatedAt, asked, isRedeemed: false });
    return new URLSearchParams({ code, state: asked.searchParams.get('state') ?? '' }).toString();
  }

  /** The administrator accepts at the address of an admin consent. */
  accept(address: string): string {
    const asked = new URL(address);
    const tenant = asked.pathname.split('/')[1] ?? '';
    const state = asked.searchParams.get('state') ?? '';
    return new URLSearchParams({ admin_consent: 'True', tenant, scope: 'openid profile', state }).toString();
  }

  /** The service sends the browser back with an error; Entra writes `admin_consent=True` beside one of admin consent. */
  refuse(address: string, error: string, description: string): string {
    const asked = new URL(address);
    const state = asked.searchParams.get('state') ?? '';
    return new URLSearchParams({
      ...(asked.pathname.endsWith('/adminconsent') ? { admin_consent: 'True' } : {}),
      error,
      error_description: description,
      state,
    }).toString();
  }

  readonly microsoft: MicrosoftClient = {
    adminConsentUrl: ({ tenantId, redirectUri, state }) => {
      this.calls.push(`adminConsentUrl ${tenantId}`);
      const query = new URLSearchParams({ redirect_uri: redirectUri, state });
      return `https://login.microsoftonline.com/${tenantId}/v2.0/adminconsent?${query.toString()}`;
    },
    url: (request) => {
      const address = `https://login.microsoftonline.com/${request.tenantId}/oauth2/v2.0/authorize`;
      return this.#address('microsoftUrl', request.tenantId, address, request);
    },
    redeem: (callback) => {
      const told = callbackErrorOf(callback.query);
      const refused = told && microsoftRefusal(told, { tenantId: callback.tenantId });
      const grant = this.#redeem('redeemMicrosoft', callback.tenantId, callback, refused);
      if (!grant.ok) return Promise.resolve(grant);
      const { who, asked, authenticatedAt } = grant.value;
      const times = this.tellsAuthTime.microsoft ? { authenticatedAt } : {};
      const isOfTenant = asked.pathname.startsWith(`/${callback.tenantId}/`);
      return Promise.resolve(
        who.service === 'microsoft' && isOfTenant ? ok({ ...who.person, ...times }) : err(failure('sign-in-unknown')),
      );
    },
  };

  readonly google: SignInClient<GooglePerson> = {
    url: (request) =>
      this.#address('googleUrl', request.tenantId, 'https://accounts.google.com/o/oauth2/v2/auth', request),
    redeem: (callback) => {
      const told = callbackErrorOf(callback.query);
      const grant = this.#redeem('redeemGoogle', '', callback, told && googleRefusal(told));
      if (!grant.ok) return Promise.resolve(grant);
      const { who, authenticatedAt } = grant.value;
      const times = this.tellsAuthTime.google ? { authenticatedAt } : {};
      return Promise.resolve(
        who.service === 'google' ? ok({ ...who.person, ...times }) : err(failure('sign-in-unknown')),
      );
    },
  };

  readonly of: SignIns['of'];
  readonly consent: SignIns['consent'];

  #address(step: Step, about: string, address: string, request: SignInRequest): Promise<Result<string, Failure>> {
    this.calls.push(`${step} ${about}`);
    const planned = this.#takePlanned(step);
    if (planned) return Promise.resolve(err(planned));
    const query = new URLSearchParams({
      redirect_uri: request.redirectUri,
      state: request.state,
      nonce: request.nonce,
      code_challenge: challengeOf(request.codeVerifier),
    });
    return Promise.resolve(ok(`${address}?${query.toString()}`));
  }

  #redeem(step: Step, about: string, callback: SignInCallback, told: Failure | undefined): Result<Grant, Failure> {
    this.calls.push(about === '' ? step : `${step} ${about}`);
    const planned = this.#takePlanned(step);
    if (planned) return err(planned);
    if (stateOf(callback.query) !== callback.state) return err(failure('sign-in-unknown'));
    if (told) return err(told);
    const grant = this.#grants.get(new URLSearchParams(callback.query).get('code') ?? '');
    if (!grant) return err(failure('sign-in-unknown'));
    // Google does not say what is wrong with a code.
    const asFound = (code: FailureCode): Result<never, Failure> =>
      err(failure(step === 'redeemGoogle' ? 'sign-in-unknown' : code));
    if (grant.isRedeemed) return asFound('sign-in-used');
    const asked = grant.asked.searchParams;
    if (asked.get('code_challenge') !== challengeOf(callback.codeVerifier)) return asFound('sign-in-other-browser');
    if (asked.get('redirect_uri') !== callback.redirectUri) return err(failure('entra-error'));
    grant.isRedeemed = true;
    return asked.get('nonce') === callback.nonce ? ok(grant) : err(failure('id-token-wrong-nonce'));
  }

  #takePlanned(step: Step): Failure | undefined {
    const index = this.#planned.findIndex((planned) => planned.step === step);
    return index < 0 ? undefined : this.#planned.splice(index, 1)[0]?.failure;
  }
}

const challengeOf = (codeVerifier: string): string => createHash('sha256').update(codeVerifier).digest('base64url');
