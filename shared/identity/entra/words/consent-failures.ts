// That an administrator of the tenant has let the connector app in, or not. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { capital, commandLines, remedyOf } from '../../../domain/failure-words.ts';
import { createServicePrincipal, enableServicePrincipal, signInTo } from './commands.ts';
import { thePrincipal, theTenant } from './names.ts';

/** `detail` of consent-required when the app is there but switched off. */
export const APP_DISABLED = 'the app is disabled in the tenant';

/** `detail` of consent-required when no administrator consented for this connection, whatever service principal there is. */
export const CONSENT_NONE = 'nobody has consented for this connection';

/** `detail` of consent-required when a set-up was not finished in time. */
export const CONSENT_AGED = 'the consent is too old for a set-up that is not finished';

/** `detail` of consent-required when the claim to the vault key, which consent makes, was taken away. */
export const CLAIM_RELEASED = 'the vault key was released since';

/** `detail` of consent-required when an administrator accepted minutes ago: Microsoft passes a new principal on for seconds to minutes. */
export const JUST_ACCEPTED = 'Microsoft is still passing it on';

/** And when the consent was carried out minutes ago: one of Entra's servers knows of it already, another does not yet. */
export const STILL_ARRIVING = 'Microsoft may still be passing it on';

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

export const CONSENT_FAILURES = {
  'consent-required': {
    kind: 'denied',
    owner: 'company-admin',
    revokes: 'at-once',
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
} as const satisfies Record<string, FailureEntry>;

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
