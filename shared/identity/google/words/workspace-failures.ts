// Failures on the way to a verified Google Workspace. Pure.
import type { FailureEntry, FailureWords, Remedy } from '../../../domain/failure.ts';
import { because, remedyOf } from '../../../domain/failure-words.ts';

/** `detail` of google-not-super-admin. */
export const DELEGATED_ADMIN = 'a delegated administrator';

/** `detail` of google-wrong-domain when the account is of no Workspace at all. */
export const PERSONAL_GOOGLE_ACCOUNT = 'a personal Google account';

/** `detail` of google-not-configured, by what Google said of the client. */
export const INTERNAL_CLIENT = "the vendor's OAuth client is for the vendor's own Workspace only";
export const UNKNOWN_REDIRECT = "the vendor's OAuth client does not list the address to come back to";
export const UNREGISTERED_SCOPE = "the vendor's OAuth client may not ask for the directory of users";
export const NOT_ALLOWED = "Google does not allow how the vendor's OAuth client asks";
export const UNKNOWN_CLIENT = "Google does not accept the vendor's OAuth client";

const REMEDIES_OF_CLIENT: ReadonlyMap<string, Remedy> = new Map([
  [
    INTERNAL_CLIENT,
    {
      text: 'Set the user type of the OAuth client to External, and publish the app.',
      portal: 'Google Cloud console > Google Auth Platform > Audience > User type: External',
    },
  ],
  [
    UNKNOWN_REDIRECT,
    {
      text: 'Add KEYSWITCH_PUBLIC_URL with /consent/callback behind it to the authorised redirect URIs of the OAuth client.',
      portal: 'Google Cloud console > Google Auth Platform > Clients > the client > Authorised redirect URIs',
    },
  ],
  [
    NOT_ALLOWED,
    {
      text:
        'Look at the error details that Google shows on its page: an app must comply with its OAuth 2.0 policy. KEYSWITCH_PUBLIC_URL has to be https ' +
        'under a domain of its own, the client one of the type web application, and the app published and verified.',
      portal: 'Google Cloud console > Google Auth Platform > Verification centre, and > Clients > the client',
    },
  ],
  [
    UNREGISTERED_SCOPE,
    {
      text: 'Add the scopes admin.directory.user.readonly and admin.directory.domain.readonly to the app, enable the Admin SDK API in its project, and have the app verified.',
      portal: 'Google Cloud console > Google Auth Platform > Data access',
    },
  ],
]);

const OF_PERSONAL_ACCOUNT: FailureWords = {
  message: 'A personal Google account cannot speak for the company.',
  cause:
    'The account that signed in belongs to no Google Workspace (gmail.com, or an address that was registered privately).',
  remedy: remedyOf({
    text: 'Sign out of Google, open the link again, and sign in with the Workspace account of a Super Admin; a private window helps.',
  }),
};

export const WORKSPACE_FAILURES = {
  'google-not-super-admin': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The user who signed in is not a Super Admin of the Google Workspace.',
      cause:
        facts.detail === DELEGATED_ADMIN
          ? 'The user is a delegated administrator, who cannot show that the company owns the Workspace.'
          : "The Workspace's directory does not name the user as Super Admin; a delegated administrator will not do either.",
      remedy: remedyOf({
        text: 'Ask a Super Admin to open the link.',
        portal: 'Google admin console > Account > Admin roles > Super Admin',
      }),
    }),
  },
  'google-wrong-domain': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) =>
      facts.detail === PERSONAL_GOOGLE_ACCOUNT
        ? OF_PERSONAL_ACCOUNT
        : {
            message: `The user who signed in belongs to another Google domain than the one to be verified${because(facts)}.`,
            cause:
              "The domain in Google's answer differs from the registered one. It may be another domain of the same Workspace.",
            remedy: remedyOf({
              text:
                'Sign out of Google, open the link again, and sign in with an account whose address is of that domain. If the Workspace has several ' +
                'domains and its Super Admins are of another one, the vendor registers that one.',
              portal: 'Google Admin console > Account > Domains > Manage domains',
            }),
          },
  },
  'google-domain-unproved': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'Nobody has shown Google that the domain belongs to this Google Workspace.',
      cause:
        'A Workspace can be had with nothing but an e-mail address of the domain. Whoever made it so is its Super Admin, and can be anybody who ' +
        'has such an address.',
      remedy: remedyOf({
        text: 'Verify the domain in the Google Admin console, or have the Super Admin of the Workspace in which it is verified open the link.',
        portal: 'Google Admin console > Account > Domains > Manage domains > Verify domain',
      }),
    }),
  },
  'google-workspace-changed': {
    kind: 'integrity',
    owner: 'vendor',
    isTampering: true,
    words: (facts) => ({
      message: `Another Google Workspace speaks for the domain than the one that did first${because(facts)}.`,
      cause:
        "Google's id of the Workspace is not the one that was kept at the first verification. The domain may have come to another owner, " +
        'who can make a Workspace of it anew.',
      remedy: remedyOf({
        text:
          'Nothing was changed. Ask the company whether it moved to another Workspace itself. If so, remove the tenant and register it again, both of which ' +
          'are recorded: the next verification counts as the first. If not, the domain is no longer theirs, and must not be verified.',
        portal: 'Google Admin console > Account > Account settings > Profile > Customer ID',
      }),
    }),
  },
  'google-not-configured': {
    kind: 'input',
    owner: 'vendor',
    words: (facts) => ({
      message: `Google Workspace tenants cannot be verified here${because(facts)}.`,
      cause: "The vendor's OAuth client at Google is not set up, or not completely.",
      remedy: remedyOf(
        REMEDIES_OF_CLIENT.get(facts.detail ?? '') ?? {
          text:
            'Set KEYSWITCH_GOOGLE_CLIENT_ID and KEYSWITCH_GOOGLE_CLIENT_SECRET to those of an OAuth client of the type web application, ' +
            'and enable the Admin SDK API in its project.',
          portal: 'Google Cloud console > APIs & Services > Credentials, and > Enabled APIs & services > Admin SDK API',
        },
      ),
    }),
  },
  'google-unreachable': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: 'Google cannot be reached at the moment.',
      cause: `There was no usable answer from Google, or it was too busy for one${because(facts)}.`,
      remedy: remedyOf({ text: 'Open the link again in a few minutes.' }),
    }),
  },
  'google-error': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: `Google gave an answer that we do not know${because(facts)}.`,
      cause: 'It refused for a reason that is not in our catalogue.',
      remedy: remedyOf({ text: 'Open the link again. If it lasts, tell the vendor.' }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
