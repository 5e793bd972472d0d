// Failures of sign-ins, wherever people sign in: in which browser, in time, with what proof. Each directory's folder has its own. Pure.
import { catalogue } from '../domain/failure-catalogue.ts';
import type { FailureEntry } from '../domain/failure.ts';
import { lower, remedyOf } from '../domain/failure-words.ts';
import { LINK_FAILURES } from '../domain/failures.ts';
import { ID_TOKEN_FAILURES } from './id-token-failures.ts';

const OPEN_AGAIN = 'Open the link again, and go through the sign-in to its end in that same browser.';

const SIGN_IN_FAILURES = {
  'sign-in-unknown': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'This sign-in was not started here, or is no longer known.',
      cause: 'The address that the browser was sent back to names no sign-in of ours, or is not whole.',
      remedy: remedyOf({ text: OPEN_AGAIN }),
    }),
  },
  'sign-in-used': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'This sign-in has been used already.',
      cause: 'Each sign-in counts once. The page was loaded or sent a second time, or somebody copied its address.',
      remedy: remedyOf({ text: `See whether the first time succeeded. If not: ${lower(OPEN_AGAIN)}` }),
    }),
  },
  'sign-in-expired': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'This sign-in took too long and has expired.',
      cause: 'A sign-in has to be finished within minutes of its beginning.',
      remedy: remedyOf({ text: OPEN_AGAIN }),
    }),
  },
  'sign-in-other-browser': {
    kind: 'integrity',
    owner: 'company-admin',
    words: () => ({
      message: 'This sign-in was started in another browser.',
      cause:
        'The cookie that binds a sign-in to its browser is missing or another: the address was opened elsewhere, a second ' +
        'sign-in was started meanwhile, or the browser refuses cookies. Somebody may have tried to pass off one sign-in as another.',
      remedy: remedyOf({ text: `${OPEN_AGAIN} Never open an address in the middle of a sign-in that you were sent.` }),
    }),
  },
  'cross-site-request': {
    kind: 'integrity',
    owner: 'company-admin',
    words: () => ({
      message: 'This request came from the page of another site.',
      cause:
        "Buttons of these pages count only on these pages. The browser says that another site's page sent the request.",
      remedy: remedyOf({ text: 'Open the link itself in a new window, and press the button there.' }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

export const IDENTITY_FAILURES = { ...SIGN_IN_FAILURES, ...ID_TOKEN_FAILURES };
export type IdentityFailureCode = keyof typeof IDENTITY_FAILURES;

declare module '../domain/failure.ts' {
  interface FailureAreas {
    readonly identity: typeof IDENTITY_FAILURES;
  }
}

export const { failure } = catalogue({ ...LINK_FAILURES, ...IDENTITY_FAILURES });
