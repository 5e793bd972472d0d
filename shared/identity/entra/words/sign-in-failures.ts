// Who signed in at Microsoft, and what Microsoft or the tenant said of it. Pure.
import type { FailureEntry, FailureWords } from '../../../domain/failure.ts';
import { because, capital, remedyOf } from '../../../domain/failure-words.ts';
import { ENCRYPTION_USER_ROLE } from './commands.ts';
import { theTenant } from './names.ts';

/** `detail` of admin-role-missing when a partner's administrator came, by delegated rights (CSP, GDAP). */
export const PARTNER = "a partner's delegated administrator";
/** `detail` of sign-in-wrong-tenant when it was no account of any organisation. */
export const PERSONAL_ACCOUNT = 'a personal Microsoft account';

const OF_PARTNER: FailureWords = {
  message: "A partner's delegated administrator cannot consent for the company.",
  cause:
    'Microsoft lets delegated administrators of a partner (CSP, GDAP) use only apps that the tenant itself has authorised before.',
  remedy: remedyOf({
    text: 'Send the link to an administrator of the tenant itself, with an account of its own there: Global Administrator or Privileged Role Administrator, and no delegated partner.',
    portal: 'Microsoft Entra admin center > Users > All users > the user > Assigned roles',
  }),
};

const OF_PERSONAL_ACCOUNT: FailureWords = {
  message: 'A personal Microsoft account cannot speak for the company.',
  cause:
    'The account that signed in belongs to no organisation (outlook.com, live.com, or an address that was registered privately).',
  remedy: remedyOf({
    text: 'Open the link again, choose "Use another account", and sign in with the work account of an administrator of the tenant; a private window helps.',
  }),
};

export const SIGN_IN_FAILURES = {
  'consent-declined': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'Consent was asked for and not given.',
      cause: 'Whoever signed in declined it, or not all of it was given, or they are no administrator who may give it.',
      remedy: remedyOf({
        text:
          'Open the link again, sign in as Global Administrator or Privileged Role Administrator, and accept. ' +
          `Consent alone gives no access to any key: that takes the role ${ENCRYPTION_USER_ROLE} on the key.`,
      }),
    }),
  },
  'admin-role-missing': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) =>
      facts.detail === PARTNER
        ? OF_PARTNER
        : {
            message: 'The user who signed in is neither Global Administrator nor Privileged Role Administrator.',
            cause:
              'Only these two roles can consent for a whole tenant. A role that Privileged Identity Management offers counts only once it is activated.',
            remedy: remedyOf({
              text: 'Send the link to an administrator who holds one of the two roles, or activate the role first.',
              portal: 'Microsoft Entra admin center > Users > All users > the user > Assigned roles',
            }),
          },
  },
  'sign-in-wrong-tenant': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) =>
      facts.detail === PERSONAL_ACCOUNT
        ? OF_PERSONAL_ACCOUNT
        : {
            message: `The user who signed in belongs to another Entra tenant than the one that was asked${because(facts)}.`,
            cause: `${capital(theTenant(facts))} has to be vouched for by an administrator of its own.`,
            remedy: remedyOf({
              text: 'Open the link again, and sign in with an account of that tenant; a private window helps if the browser chooses another by itself.',
            }),
          },
  },
  'sign-in-refused': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: `The sign-in was refused${because(facts)}.`,
      cause: `${capital(theTenant(facts))} did not let the user sign in to our app: a rule of the tenant, or something about the account.`,
      remedy: remedyOf({
        text: "Look the sign-in up in the tenant's sign-in log, which names the reason, and open the link again.",
        portal: 'Microsoft Entra admin center > Monitoring & health > Sign-in logs > User sign-ins (interactive)',
      }),
    }),
  },
  'sign-in-not-fresh': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'Nobody has signed in for this: the sign-in is older than the step that asks for it.',
      cause:
        'What is asked here takes a sign-in of its own, so that nobody answers in a browser in which somebody else is still signed in.',
      remedy: remedyOf({
        text: 'Open the link again, and sign in anew where Microsoft asks for it.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
