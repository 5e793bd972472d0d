// Failures of links and sign-ins: who opened what, in which browser, and what Microsoft said of it. Pure.
import { ENCRYPTION_USER_ROLE } from '../providers/azure-key-vault/words/azure-commands.ts';
import type { FailureFacts } from '../domain/failure.ts';
import type { FailureEntry, FailureWords } from '../domain/failure-entry.ts';
import { because, capital, remedyOf, theTenant } from '../domain/remedy.ts';

const NEW_LINK = 'Ask whoever sent the link for a new one.';
const OPEN_AGAIN = 'Open the link again, and go through the sign-in to its end in that same browser.';

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
    words: (facts) => ({
      message: 'Consent was asked for and not given.',
      cause: 'Whoever signed in declined it, or not all of it was given, or they are no administrator who may give it.',
      remedy: remedyOf({
        text:
          facts.identityProvider === 'google'
            ? 'Open the link again, sign in as a Super Admin of the Google Workspace, and accept all that is asked for.'
            : 'Open the link again, sign in as Global Administrator or Privileged Role Administrator, and accept. ' +
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
    words: (facts) =>
      refusedAtGoogle(facts) ?? {
        message: `The sign-in was refused${because(facts)}.`,
        cause: `${capital(theTenant(facts))} did not let the user sign in to our app: a rule of the tenant, or something about the account.`,
        remedy: remedyOf({
          text: "Look the sign-in up in the tenant's sign-in log, which names the reason, and open the link again.",
          portal: 'Microsoft Entra admin center > Monitoring & health > Sign-in logs > User sign-ins (interactive)',
        }),
      },
  },
  'sign-in-not-fresh': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'Nobody has signed in for this: the sign-in is older than the step that asks for it.',
      cause:
        'What is asked here takes a sign-in of its own, so that nobody answers in a browser in which somebody else is still signed in.',
      remedy: remedyOf({
        text:
          facts.identityProvider === 'google'
            ? 'Google does not ask for a new sign-in by itself: open the link again, press its button, sign out of Google there, and sign in.'
            : 'Open the link again, and sign in anew where Microsoft asks for it.',
      }),
    }),
  },
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
  'link-unknown': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'This link is not known.',
      cause: 'It was not copied whole, or it expired long ago.',
      remedy: remedyOf({ text: `Copy the whole link. If that does not help: ${lower(NEW_LINK)}` }),
    }),
  },
  'link-expired': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `This link has expired${because(facts)}.`,
      cause:
        'Links serve for a limited time, and only as long as what they ask for stays as it was when they were made.',
      remedy: remedyOf({ text: NEW_LINK }),
    }),
  },
  'link-done': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'What this link is for has been done already.',
      cause: 'Each link serves once.',
      remedy: remedyOf({ text: `Nothing needs to be done. If it has to be done anew: ${lower(NEW_LINK)}` }),
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

/** The Workspace's rules, and nothing of Microsoft's. */
function refusedAtGoogle(facts: FailureFacts): FailureWords | undefined {
  if (facts.identityProvider !== 'google') return undefined;
  const isRule = RULES_AT_GOOGLE.has(facts.detail ?? '');
  const cause = isRule
    ? 'The administrators of the Google Workspace let only apps that they trust ask for such access.'
    : (CAUSES_AT_GOOGLE.get(facts.detail ?? '') ??
      'Google did not let the user sign in to our app: a rule of the Workspace, or something about the account.');
  return {
    owner: 'company-admin',
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

const RULES_AT_GOOGLE = new Set(['admin_policy_enforced', 'access_not_configured', 'domainCannotUseApis']);

const CAUSES_AT_GOOGLE: ReadonlyMap<string, string> = new Map([
  ['disallowed_useragent', 'The link was opened in the window of another app, in which Google allows no sign-in.'],
  ['policy_enforced', 'The account is under Advanced Protection, which lets no app ask for such access.'],
]);

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
