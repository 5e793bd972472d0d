// Of the connector app itself: its manifest, its credentials, the identity that it shows. Pure.
import type { FailureEntry } from '../../../domain/failure.ts';
import { because, capital, remedyOf } from '../../../domain/failure-words.ts';
import {
  askForAuthTime,
  askForDirectoryRoles,
  enableServicePrincipal,
  listFederatedCredentials,
  resetClientSecret,
} from './commands.ts';
import { APP_DISABLED } from './consent-failures.ts';
import { theTenant } from './names.ts';

const NEW_SECRET =
  'Microsoft Entra admin center > App registrations > the app > Certificates & secrets > New client secret; copy the column Value, not Secret ID';

/** `detail` of federation-mismatch when the identity's token is of a kind that Entra never takes, or of another tenant. */
export const FOREIGN_IDENTITY = 'the token shown is none of a managed identity in the tenant of the app';

/** And when the token would be made for an audience that this cloud does not have. */
export const NO_SUCH_AUDIENCE = 'the audience is none of this cloud';

/** And when a policy of the tenant forbids such credentials. */
export const FEDERATION_OFF = 'a policy of the tenant does not allow this federated credential';

/** `detail`: the date. */
const expiring = (when: string): FailureEntry => ({
  kind: 'warning',
  owner: 'azure-admin',
  words: (facts) => ({
    message: `The client secret ${when}${because(facts)}.`,
    cause:
      'Every secret of an app registration ends at a date. After that no company key can be unwrapped with your key.',
    remedy: remedyOf({
      text: 'Make a second secret beside the first one, and enter its Value and its date: the first one serves until the new one has worked.',
      azureCli: resetClientSecret(facts),
      portal: NEW_SECRET,
    }),
  }),
});

export const APP_FAILURES = {
  'wids-not-emitted': {
    kind: 'input',
    owner: 'vendor',
    words: (facts) => ({
      message: "The connector app's manifest does not ask for directory roles.",
      cause: 'The sign-in token holds no wids claim, so it cannot be seen whether the user is an administrator.',
      remedy: remedyOf({
        text: "Set groupMembershipClaims to DirectoryRole in the connector app's manifest, and ask the administrator to sign in again.",
        azureCli: askForDirectoryRoles(facts),
        portal:
          'Microsoft Entra admin center > App registrations > the connector app > Manifest > groupMembershipClaims',
      }),
    }),
  },
  'auth-time-not-emitted': {
    kind: 'input',
    owner: 'vendor',
    words: (facts) => ({
      message: "The connector app's manifest does not ask for the time of a sign-in.",
      cause: 'The sign-in token holds no auth_time claim, so it cannot be seen whether anybody signed in for this.',
      remedy: remedyOf({
        text: "Add the optional claim auth_time for ID tokens to the connector app's registration, and ask the administrator to sign in again.",
        azureCli: askForAuthTime(facts),
        portal:
          'Microsoft Entra admin center > App registrations > the connector app > Token configuration > Add optional claim > ID > auth_time',
      }),
    }),
  },
  'federation-mismatch': {
    kind: 'denied',
    owner: 'vendor',
    words: (facts) => ({
      message: "The connector app does not accept the vendor's managed identity.",
      cause: `No federated credential of the connector app has this issuer, subject (case matters) and audience${because(facts)}. A new one takes some minutes to arrive everywhere.`,
      remedy: remedyOf({
        text:
          facts.detail === FEDERATION_OFF
            ? 'Look at the policies for application credentials of the tenant that the app is registered in: one of them blocks federated credentials of this issuer.'
            : "Compare the app's federated credential with the identity: the issuer is the vendor tenant's, the subject the identity's principal " +
              'id in lower case, the audience that of token exchange in this cloud (KEYSWITCH_TOKEN_EXCHANGE_AUDIENCE). App registration and ' +
              'managed identity have to be in one tenant.',
        azureCli: listFederatedCredentials(facts),
        portal:
          'Microsoft Entra admin center > App registrations > the connector app > Certificates & secrets > Federated credentials',
      }),
    }),
  },
  'client-secret-wrong': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'The client secret is wrong.',
      cause:
        'Entra does not accept it. The common mistake: the Secret ID was copied in place of its Value, which is shown only once. A secret that was made just now can take half a minute to arrive everywhere.',
      remedy: remedyOf({
        text: 'Make a new secret and enter its Value.',
        azureCli: resetClientSecret(facts),
        portal:
          'Microsoft Entra admin center > App registrations > the app > Certificates & secrets > New client secret; copy the column Value, not Secret ID',
      }),
    }),
  },
  'client-secret-expired': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'The client secret has expired.',
      cause: 'Every secret of an app registration ends at a date, and this one has passed.',
      remedy: remedyOf({
        text: 'Make a new secret and enter its Value.',
        azureCli: resetClientSecret(facts),
        portal:
          'Microsoft Entra admin center > App registrations > the app > Certificates & secrets > New client secret',
      }),
    }),
  },
  'client-secret-invalid': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `This is no client secret${because(facts)}.`,
      cause: 'A client secret is what the column Value shows once, right after the secret was made. Nothing was sent.',
      remedy: remedyOf({
        text: 'Copy the column Value, not the Secret ID, without quotes around it. If it is no longer shown, make a new secret.',
        portal: NEW_SECRET,
      }),
    }),
  },
  'client-secret-expires-in-a-month': expiring('expires within 30 days'),
  'client-secret-expires-in-a-week': expiring('expires within 7 days'),
  'client-secret-expires-in-a-day': expiring('expires within one day'),
  'client-secret-past-its-date': expiring('has expired'),
  'client-secret-unavailable': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: `The stored client secret cannot be opened at the moment${because(facts)}.`,
      cause:
        "It is encrypted under the vendor's own key, whose vault does not unwrap just now. Nothing was asked of the company's vault.",
      remedy: remedyOf({
        text: 'Nothing is for the company to do, and nothing has been revoked: the vendor looks after its own vault, and we try again by ourselves.',
      }),
    }),
  },
  'client-app-missing': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message:
        facts.detail === APP_DISABLED
          ? "The company's own app may not sign in."
          : "The company's own app is not known in its tenant.",
      cause: `${capital(theTenant(facts))} has no application${facts.appId === undefined ? '' : ` ${facts.appId}`} that may sign in: it was deleted or switched off, or one of the two ids is not right.`,
      remedy: remedyOf({
        text: 'Compare the Application (client) ID and the Directory (tenant) ID with the Overview of the app registration, and enable the app for sign-in.',
        azureCli: enableServicePrincipal(facts),
        portal:
          'Microsoft Entra admin center > App registrations > the app > Overview; Enterprise applications > the app > Properties',
      }),
    }),
  },
  'managed-identity-unavailable': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: "The vendor's managed identity gives no token.",
      cause: `The identity endpoint of the Functions app refuses or does not answer${because(facts)}.`,
      remedy: remedyOf({
        text: 'Check that the user-assigned identity is assigned to the Functions app, and that AZURE_CLIENT_ID holds its client id.',
        portal: 'Azure portal > Function App > the app > Settings > Identity > User assigned',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
