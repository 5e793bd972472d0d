// What Google, or the Workspace, says of a sign-in: codes that other directories have too, in words of Google's. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { because, remedyOf } from '../../../domain/failure-words.ts';

export const SIGN_IN_FAILURES = {
  'consent-declined': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'Consent was asked for and not given.',
      cause: 'Whoever signed in declined it, or not all of it was given, or they are no administrator who may give it.',
      remedy: remedyOf({
        text: 'Open the link again, sign in as a Super Admin of the Google Workspace, and accept all that is asked for.',
      }),
    }),
  },
  'sign-in-refused': {
    kind: 'denied',
    owner: 'company-admin',
    words: refused,
  },
  'sign-in-not-fresh': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'Nobody has signed in for this: the sign-in is older than the step that asks for it.',
      cause:
        'What is asked here takes a sign-in of its own, so that nobody answers in a browser in which somebody else is still signed in.',
      remedy: remedyOf({
        text: 'Google does not ask for a new sign-in by itself: open the link again, press its button, sign out of Google there, and sign in.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

const RULES_AT_GOOGLE = new Set(['admin_policy_enforced', 'access_not_configured', 'domainCannotUseApis']);

const CAUSES_AT_GOOGLE: ReadonlyMap<string, string> = new Map([
  ['disallowed_useragent', 'The link was opened in the window of another app, in which Google allows no sign-in.'],
  ['policy_enforced', 'The account is under Advanced Protection, which lets no app ask for such access.'],
]);

/** By the Workspace's rules, or for something about the account. */
function refused(facts: FailureFacts): FailureWords {
  const isRule = RULES_AT_GOOGLE.has(facts.detail ?? '');
  const cause = isRule
    ? 'The administrators of the Google Workspace let only apps that they trust ask for such access.'
    : (CAUSES_AT_GOOGLE.get(facts.detail ?? '') ??
      'Google did not let the user sign in to our app: a rule of the Workspace, or something about the account.');
  return {
    message: `Google refused the sign-in${because(facts)}.`,
    cause,
    remedy: remedyOf({
      text: isRule
        ? "Let an administrator of the Workspace trust the vendor's app in the Google Admin console, under app access control, and open the link again."
        : 'Open the link again in the usual browser, sign in to Google there, and go through it to its end.',
      portal: isRule
        ? 'Google Admin console > Security > Access and data control > API controls > App access control > Manage third-party app access'
        : 'Google Admin console > Reporting > Audit and investigation > User log events',
    }),
  };
}
