// Entra gives no token, or lets a person not sign in, for a reason of its own. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { because, capital, remedyOf } from '../../../domain/failure-words.ts';
import { thePrincipal, theTenant } from './names.ts';

/** `detail` of blocked-by-conditional-access when it stopped a person's sign-in and not a token of ours. */
export const PERSON_BLOCKED = 'the sign-in of a person';

export const TOKEN_FAILURES = {
  'blocked-by-conditional-access': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
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
