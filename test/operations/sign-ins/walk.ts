// An administrator's way through a consent, step by step, as a browser would take it: each step can be taken twice, with another cookie,
// or with another query.
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import { GLOBAL_ADMINISTRATOR, type MicrosoftPerson } from '../../../shared/identity/entra/admin.ts';

import { answer } from '../../../shared/operations/sign-ins/answer.ts';
import { begin } from '../../../shared/operations/sign-ins/begin.ts';
import { comeBack, type CameBack } from '../../../shared/operations/sign-ins/come-back.ts';
import { requestConsent } from '../../../shared/operations/sign-ins/request-consent.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/step.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';
import type { FakeSignIns } from '../../fakes/fake-sign-ins.ts';

const CALLBACK_URL = 'https://keyswitch.example/consent/callback';

interface ConnectionPlace {
  readonly companyId: string;
  readonly connectionId: string;
}

/** Each call of a browser is one of its own. */
let calls = 0;
const browser = (): ReturnType<typeof actorNamed> => actorNamed(`browser call ${(calls += 1)}`);

export class Walk {
  readonly #deps: SignInDependencies & { readonly signIns: FakeSignIns };

  constructor(deps: SignInDependencies & { readonly signIns: FakeSignIns }) {
    this.#deps = deps;
  }

  async link(place: ConnectionPlace): Promise<string> {
    const made = valueOf(await requestConsent(this.#deps, place, ADMIN));
    return made.ticket.text;
  }

  begin(link: string, browserSays: { readonly isCrossSite?: boolean } = {}): ReturnType<typeof begin> {
    const request = { link, callbackUrl: CALLBACK_URL, isCrossSite: browserSays.isCrossSite ?? false };
    return begin(this.#deps, request, browser());
  }

  comeBack(query: string, cookie: string | undefined): ReturnType<typeof comeBack> {
    const callback = { query, cookie, isCrossSite: true, callbackUrl: CALLBACK_URL };
    return comeBack(this.#deps, callback, browser());
  }

  answer(
    state: string,
    given: { readonly cookie: string | undefined; readonly answer?: 'decline'; readonly isCrossSite?: boolean },
  ): ReturnType<typeof answer> {
    const { cookie, isCrossSite = false } = given;
    return answer(this.#deps, { state, cookie, isCrossSite, answer: given.answer ?? 'confirm' }, browser());
  }

  /** As far as the sign-in page at Microsoft. */
  async toSignIn(link: string): Promise<Extract<CameBack, { type: 'departure' }>> {
    const left = valueOf(await this.begin(link));
    const back = valueOf(await this.comeBack(this.#deps.signIns.accept(left.goTo), left.cookie));
    if (back.type !== 'departure') throw new Error('no sign-in was asked for');
    return back;
  }

  /** As far as the second question. */
  async toQuestion(link: string, person: MicrosoftPerson): Promise<Extract<CameBack, { type: 'question' }>> {
    const { goTo, cookie } = await this.toSignIn(link);
    const query = this.#deps.signIns.signIn(goTo, { service: 'microsoft', person });
    const back = valueOf(await this.comeBack(query, cookie));
    if (back.type !== 'question') throw new Error('no question was asked');
    return back;
  }

  /** From the request to the end. */
  async through(place: ConnectionPlace, person: MicrosoftPerson): ReturnType<typeof answer> {
    const { state, cookie } = await this.toQuestion(await this.link(place), person);
    return this.answer(state, { cookie });
  }
}

export const globalAdminOf = (tenantId: string): MicrosoftPerson => ({
  tenantId,
  objectId: 'ad000000-0000-4000-8000-000000000001',
  displayName: 'Ada Admin',
  roleTemplateIds: [GLOBAL_ADMINISTRATOR],
});

export function valueOf<T>(result: Result<T, Refusal | { readonly refusal: Refusal }>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** The code of a failure or of a state, or the type of any other refusal; undefined if there is none. */
export const codeOf = (result: Result<unknown, Refusal | { readonly refusal: Refusal }>): string | undefined => {
  if (result.ok) return undefined;
  const refusal = 'refusal' in result.error ? result.error.refusal : result.error;
  if (refusal.type === 'state') return refusal.code;
  return refusal.type === 'failure' ? refusal.failure.code : refusal.type;
};
