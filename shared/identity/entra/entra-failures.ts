// Failures of Entra ID: tenants, consent, credentials. Pure.
import {
  askForAuthTime,
  askForDirectoryRoles,
  commandLines,
  createServicePrincipal,
  enableServicePrincipal,
  listFederatedCredentials,
  resetClientSecret,
  showVaultTenant,
  signInTo,
} from '../../providers/azure-key-vault/words/azure-commands.ts';
import type { FailureFacts } from '../../domain/failure.ts';
import type { FailureEntry, FailureWords } from '../../domain/failure-entry.ts';
import { because, capital, remedyOf, thePrincipal, theTenant, theVault } from '../../domain/remedy.ts';

/** `detail` of consent-required when the app is there but switched off. */
export const APP_DISABLED = 'the app is disabled in the tenant';

/** `detail` of consent-required when nobody consented for this connection, whatever service principal there is. */
export const CONSENT_NONE = 'nobody has consented for this connection';

/** `detail` of consent-required when a set-up was not finished in time. */
export const CONSENT_AGED = 'the consent is too old for a set-up that is not finished';

/** `detail` of consent-required when the claim to the vault key, which consent makes, was taken away. */
export const CLAIM_RELEASED = 'the vault key was released since';

/** `detail` of consent-required when somebody accepted minutes ago: Microsoft passes a new principal on for seconds to minutes. */
export const JUST_ACCEPTED = 'Microsoft is still passing it on';
/** And when the consent was carried out minutes ago: one of Entra's servers knows of it already, another does not yet. */
export const STILL_ARRIVING = 'Microsoft may still be passing it on';

/** `detail` of federation-mismatch when the identity's token is of a kind that Entra takes from nobody, or of another tenant. */
export const FOREIGN_IDENTITY = 'the token shown is none of a managed identity in the tenant of the app';
/** And when the token would be made for an audience that nobody has in this cloud. */
export const NO_SUCH_AUDIENCE = 'the audience is none of this cloud';
/** And when a policy of the tenant forbids such credentials. */
export const FEDERATION_OFF = 'a policy of the tenant does not allow this federated credential';

/** What is wrong with the consent for this one connection; everything else is wrong with the app in the tenant. */
const CAUSES_OF_CONNECTION: ReadonlyMap<string, string> = new Map([
  [
    CONSENT_NONE,
    'No administrator has granted consent for this connection yet. That the app is in the tenant is not enough.',
  ],
  [CONSENT_AGED, 'Consent was granted, but it is kept for 24 hours only while a set-up is not finished.'],
  [
    CLAIM_RELEASED,
    'Consent was granted, but the vendor has released the vault key since. A new consent claims it again.',
  ],
]);

/** `detail` of blocked-by-conditional-access when it stopped a person's sign-in and not a token of ours. */
export const PERSON_BLOCKED = 'the sign-in of a person';

export const ENTRA_FAILURES = {
  'consent-required': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) =>
      consentForConnection(facts) ??
      consentOnItsWay(facts) ??
      consentStillArriving(facts) ??
      (facts.detail === APP_DISABLED
        ? {
            message: 'Azure AD admin consent is required: our app is disabled in the tenant.',
            cause: `${capital(thePrincipal(facts))} in ${theTenant(facts)} may not sign in.`,
            remedy: remedyOf({
              text: 'Enable the app for sign-in again.',
              azureCli: enableServicePrincipal(facts),
              portal:
                'Microsoft Entra admin center > Enterprise applications > the app > Properties > Enabled for users to sign in: Yes',
            }),
          }
        : {
            message: 'Azure AD admin consent is required.',
            cause: `Our app is not installed in ${theTenant(facts)}, or the consent was withdrawn.`,
            remedy: remedyOf({
              text:
                'Let an administrator of the tenant (Application Administrator, Cloud Application Administrator or Global Administrator) ' +
                'install the app with the Azure CLI. It gives no access to anything by itself.',
              azureCli: commandLines(signInTo(facts), createServicePrincipal(facts)),
              portal:
                'Azure portal > Cloud Shell, for the command; afterwards Microsoft Entra admin center > Enterprise applications lists ' +
                'the app by its application id',
            }),
          }),
  },
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
  'wrong-entra-tenant': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The vault belongs to another Entra tenant than the one that consented.',
      cause: `${capital(theVault(facts))} accepts tokens of another tenant than ${theTenant(facts)}${because(facts)}.`,
      remedy: remedyOf({
        text: afterMove(facts),
        azureCli: showVaultTenant(facts),
        portal: 'Azure portal > Key vaults > the vault > Overview > Directory ID',
      }),
    }),
  },
  'entra-tenant-not-found': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) =>
      tenantGone(facts) ?? {
        message: 'This Entra tenant does not exist.',
        cause: `Microsoft knows no tenant by this id in this cloud${facts.tenantId === undefined ? '' : ` (${facts.tenantId})`}.`,
        remedy: remedyOf({
          text: "Copy the tenant id from Entra's overview, or leave it out: the vault names its own.",
          azureCli: showVaultTenant(facts) ?? 'az account show --query tenantId --output tsv',
          portal: 'Microsoft Entra admin center > Overview > Tenant ID',
        }),
      },
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
    words: (facts) => ({
      message: 'The client secret is wrong.',
      cause:
        'Entra does not accept it. The common mistake: the Secret ID was copied in place of its Value, which is shown only once.',
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
  'blocked-by-conditional-access': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) =>
      facts.detail === PERSON_BLOCKED
        ? {
            message: 'A Conditional Access policy of the company blocks this sign-in.',
            cause: `A policy in ${theTenant(facts)} does not let this user sign in to our app from this device or place.`,
            remedy: remedyOf({
              text: 'Sign in from a device and place that the policy allows, or exclude the user or our app from it.',
              portal:
                'Microsoft Entra admin center > Protection > Conditional Access > Policies (the log of user sign-ins names the policy)',
            }),
          }
        : {
            message: 'A Conditional Access policy of the company blocks our app.',
            cause: `A policy for workload identities in ${theTenant(facts)} refuses us a token.`,
            remedy: remedyOf({
              text: `Exclude ${thePrincipal(facts)} from the policy, or allow our outgoing address in it.`,
              portal:
                'Microsoft Entra admin center > Protection > Conditional Access > Policies (the sign-in log of service principals names the policy)',
            }),
          },
  },
  'entra-unreachable': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: 'Entra ID cannot be reached at the moment.',
      cause: `There was no usable answer from Entra ID${because(facts)}.`,
      remedy: remedyOf({ text: 'Nothing has been revoked, and we try again by ourselves.' }),
    }),
  },
  'entra-throttled': {
    kind: 'transient',
    owner: 'vendor',
    words: () => ({
      message: 'Entra ID is busy: it answered that it received too many requests.',
      cause: 'Too many tokens were asked for in a short time.',
      remedy: remedyOf({ text: 'Nothing has been revoked, and we try again by ourselves, more slowly.' }),
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
  'entra-refused': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) =>
      signInRefused(facts) ?? {
        message: `Entra ID refuses a token for a reason of its own${because(facts)}.`,
        cause: `${capital(theTenant(facts))} answered with a number that is not in our catalogue; the words are its own.`,
        remedy: remedyOf({
          text:
            "Look the number up at https://login.microsoftonline.com/error, and in the tenant's sign-in logs for what refused us. " +
            'If it is about the connector app itself, tell the vendor. It does not count as revoked.',
          portal: 'Microsoft Entra admin center > Monitoring & health > Sign-in logs > Service principal sign-ins',
        }),
      },
  },
  'entra-error': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) =>
      ofOurApp(facts) ?? {
        message: `Entra ID gave an answer that we do not know${because(facts)}.`,
        cause: 'It refused for a reason that is not in our catalogue.',
        remedy: remedyOf({
          text: 'Nothing has been revoked, and we try again by ourselves. If it lasts, tell the vendor the correlation id of this answer.',
        }),
      },
  },
} as const satisfies Record<string, FailureEntry>;

/** A number that is known to be the vendor's: of the app's registration, its assertion or its request. */
function ofOurApp(facts: FailureFacts): FailureWords | undefined {
  if (facts.detail?.startsWith('AADSTS') !== true) return undefined;
  return {
    message: `Entra ID does not take our app, or what it sends, as it is${because(facts)}.`,
    cause:
      "It is the connector app's registration, its proof of itself or its request; nothing in the company's tenant.",
    remedy: remedyOf({
      text:
        'The vendor looks this number up at https://login.microsoftonline.com/error, and mends it. Nothing has been revoked, and what waits for it ' +
        'goes on by itself afterwards.',
      portal: 'Microsoft Entra admin center (of the vendor) > App registrations > the connector app',
    }),
  };
}

/** A person's, of which the log of service principals tells nothing. */
function signInRefused(facts: FailureFacts): FailureWords | undefined {
  if (facts.signInRefusedBy === undefined) return undefined;
  const look = 'Look the number up at https://login.microsoftonline.com/error';
  return facts.signInRefusedBy === 'vendor'
    ? {
        owner: 'vendor',
        message: `Entra ID lets nobody sign in as the vendor's app asks for it${because(facts)}.`,
        cause: 'The connector app is registered wrongly, or its request is one that Entra does not take.',
        remedy: remedyOf({
          text: `Tell the vendor, who has to mend it; opening the link again changes nothing before. ${look}, and compare the app's registration: redirect URI, supported account types, federated credential.`,
          portal:
            'Microsoft Entra admin center (of the vendor) > App registrations > the connector app > Authentication',
        }),
      }
    : {
        message: `Entra ID refuses the sign-in for a reason of its own${because(facts)}.`,
        cause: `${capital(theTenant(facts))} answered with a number that is not in our catalogue.`,
        remedy: remedyOf({
          text: `${look}, and the sign-in in the tenant's sign-in log, which names the reason; then open the link again.`,
          portal: 'Microsoft Entra admin center > Monitoring & health > Sign-in logs > User sign-ins (interactive)',
        }),
      };
}

function consentForConnection(facts: FailureFacts): FailureWords | undefined {
  const cause = CAUSES_OF_CONNECTION.get(facts.detail ?? '');
  if (cause === undefined) return undefined;
  return {
    message: 'Azure AD admin consent is required.',
    cause,
    remedy: remedyOf({
      text:
        'Ask for a consent link for this connection, and let a Global Administrator or Privileged Role Administrator of ' +
        `${theTenant(facts)} open it and go through it to its end.`,
    }),
  };
}

/** Azure keeps host, key and versions of a vault whose subscription goes to another tenant. */
function afterMove(facts: FailureFacts): string {
  if (facts.ownVault !== undefined)
    return 'Move the vault back; or set KEYSWITCH_VENDOR_TENANT_ID to the tenant that it is in now, and assign the roles there anew.';
  if (facts.inUse !== true)
    return "Check the vault URI. If it is right, make the connection anew with the vault's own tenant, and let that tenant consent.";
  if (facts.onlyInSwitch === true)
    return "Cancel the switch, make the connection anew with the vault's own tenant, let that tenant consent, and order the switch again.";
  return (
    `The vault was moved. Nothing is lost while its key is there. Either move the vault back to ${theTenant(facts)}; or an admin of the company ` +
    'asks for a consent link for this connection, a Global Administrator or Privileged Role Administrator of the tenant that the vault is in now ' +
    'goes through it, the role is assigned there, and the connection is tested: everything opens again.'
  );
}

function consentOnItsWay(facts: FailureFacts): FailureWords | undefined {
  if (facts.detail !== JUST_ACCEPTED) return undefined;
  return {
    message: 'Consent was given a moment ago, and has not arrived everywhere yet.',
    cause: `Microsoft is still passing the new app on in ${theTenant(facts)}. That takes seconds, sometimes minutes.`,
    remedy: remedyOf({
      text: 'Wait a minute, open this link again, and go through it once more. Nothing has to be installed by hand.',
    }),
  };
}

function consentStillArriving(facts: FailureFacts): FailureWords | undefined {
  if (facts.detail !== STILL_ARRIVING) return undefined;
  return {
    message: 'Consent was given minutes ago, and has not arrived everywhere yet.',
    cause: `Microsoft may still be passing our app on in ${theTenant(facts)}. That takes seconds, sometimes minutes.`,
    remedy: remedyOf({
      text: 'Wait a minute, and try again: nothing has to be installed by hand. If it stays so, the app was removed since, and the answer will say how to install it.',
    }),
  };
}

/** Of a key in use the tenant was there: nothing was mistyped, and nothing can be left out. */
const tenantGone = (facts: FailureFacts): FailureWords | undefined =>
  facts.inUse === true
    ? {
        message: `${capital(theTenant(facts))} does not exist any more.`,
        cause:
          'Microsoft knew it when the key was put in use. It was deleted since, by its administrators or because it had no active ' +
          'subscription left.',
        remedy: remedyOf({
          text:
            'An administrator of the company calls Microsoft support at once: a vault is deleted with its tenant, and a tenant ' +
            'can be given back for a short time only.',
        }),
      }
    : undefined;
