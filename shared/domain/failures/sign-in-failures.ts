// Failures of links and sign-ins: who opened what, in which browser, and what Microsoft said of it. Pure.
import { ENCRYPTION_USER_ROLE } from './azure-commands.ts';
import type { FailureEntry } from './failure-entry.ts';
import { because, capital, remedyOf, theTenant } from './remedy.ts';

const NEW_LINK = 'Ask whoever sent the link for a new one.';
const OPEN_AGAIN = 'Open the link again, and go through the sign-in to its end in that same browser.';

export const SIGN_IN_FAILURES = {
  'consent-declined': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'Consent was asked for and not given.',
      cause: 'Whoever signed in declined it, or not all of it was given, or they are no administrator who may give it.',
      remedy: remedyOf({
        text:
          'Open the link again, sign in as Global Administrator or Privileged Role Administrator (at Google: as Super Admin), and accept. ' +
          `Consent alone gives no access to any key: that takes the role ${ENCRYPTION_USER_ROLE} on the key.`,
      }),
    }),
  },
  'admin-role-missing': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'The user who signed in is neither Global Administrator nor Privileged Role Administrator.',
      cause:
        'Only these two roles can consent for a whole tenant. A role that Privileged Identity Management offers counts only once it is activated.',
      remedy: remedyOf({
        text: 'Send the link to an administrator who holds one of the two roles, or activate the role first.',
        portal: 'Microsoft Entra admin center > Users > All users > the user > Assigned roles',
      }),
    }),
  },
  'sign-in-wrong-tenant': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The user who signed in belongs to another Entra tenant than the one that was asked${because(facts)}.`,
      cause: `${capital(theTenant(facts))} has to be vouched for by an administrator of its own.`,
      remedy: remedyOf({
        text: 'Open the link again, and sign in with an account of that tenant; a private window helps if the browser chooses another by itself.',
      }),
    }),
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

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
