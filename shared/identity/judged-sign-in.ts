// A sign-in whose person is judged before anything else learns of them: by the kind of tenant, and by when they signed in. Pure over a client.
import type { Failure } from '../domain/failure.ts';
import type { Result } from '../domain/result.ts';
import type { SignedIn } from '../domain/sign-in-link.ts';
import type { SignInClient, TenantSignIn } from './identity.ts';

export interface Asked {
  readonly tenantId: string;
  /** When the browser was sent to sign in. */
  readonly since: Date;
}

export const signInJudgedBy = <Person>(
  client: SignInClient<Person>,
  judge: (person: Person, asked: Asked) => Result<SignedIn, Failure>,
): TenantSignIn => ({
  url: (request) => client.url(request),
  identify: async (callback) => {
    const person = await client.redeem(callback);
    return person.ok ? judge(person.value, callback) : person;
  },
});

/** How far the clocks of a sign-in service and this app may be apart, and the second that `auth_time` is cut to. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Whether a person signed in for what is asked, and not for something before. */
export const isSignedInSince = (authenticatedAt: Date, since: Date): boolean =>
  authenticatedAt.getTime() >= since.getTime() - CLOCK_TOLERANCE_MS;
