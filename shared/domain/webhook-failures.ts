// Failures of webhooks: what is wrong with an address that was typed, and how the receiver there failed to take an event. Pure.
import { catalogue } from './failure-catalogue.ts';
import type { FailureEntry, FailureFacts } from './failure.ts';
import { because, remedyOf } from './failure-words.ts';

const theReceiver = ({ webhookHost }: FailureFacts): string =>
  webhookHost === undefined ? 'the receiver' : `the receiver at ${webhookHost}`;

const PUBLIC_ADDRESS =
  'Enter an address that anybody on the internet could reach, such as https://hooks.your-company.com/keyswitch.';
const LATER = 'Events wait and are sent again for three days, in their order.';

const WEBHOOK_INPUT_FAILURES = {
  'webhook-url-invalid': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The address of the webhook is not valid${because(facts)}.`,
      cause: 'A webhook has an https address of up to 2,000 characters, without a user name, password or fragment.',
      remedy: remedyOf({ text: PUBLIC_ADDRESS }),
    }),
  },
  'webhook-not-https': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'The address of the webhook is not https.',
      cause: 'Events are sent over verified TLS only.',
      remedy: remedyOf({ text: PUBLIC_ADDRESS }),
    }),
  },
  'webhook-port-not-allowed': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'The address of the webhook names a port other than 443.',
      cause: 'Other ports belong to services that take no events.',
      remedy: remedyOf({ text: 'Have the receiver listen at port 443, and leave the port away.' }),
    }),
  },
  'webhook-host-not-public': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The host of the webhook is not a public name${because(facts)}.`,
      cause: 'IP addresses in any notation, names of one part and names of private networks are refused.',
      remedy: remedyOf({ text: PUBLIC_ADDRESS }),
    }),
  },
  'webhook-host-not-allowed': {
    kind: 'input',
    owner: 'vendor',
    words: () => ({
      message: 'The vendor allows no webhook to this host.',
      cause: 'KEYSWITCH_WEBHOOK_HOSTS names the domains that webhooks may lead to.',
      remedy: remedyOf({ text: 'Use a host in one of these domains, or ask the vendor to add yours.' }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

const WEBHOOK_DELIVERY_FAILURES = {
  // One for all that a look-up can show: whatever tells them apart tells a company the names of the vendor's private network.
  'webhook-no-public-address': {
    kind: 'transient',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The name of the webhook does not lead to public addresses. Nothing was sent.',
      cause: `DNS has no address for ${theReceiver(facts)}, does not answer, or names one that is not public. Which of them is not said.`,
      remedy: remedyOf({ text: `Have the name lead to public addresses, and to no others. ${LATER}` }),
    }),
  },
  'webhook-unreachable': {
    kind: 'transient',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The receiver cannot be reached${because(facts)}.`,
      cause: `Nothing answers at the addresses of ${theReceiver(facts)}, or nothing that speaks TLS and HTTP.`,
      remedy: remedyOf({ text: `Bring the receiver back, or correct the address of the webhook. ${LATER}` }),
    }),
  },
  'webhook-certificate-refused': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The certificate of the receiver is not accepted${because(facts)}.`,
      cause: `TLS to ${theReceiver(facts)} is verified as a browser would; the event was not sent.`,
      remedy: remedyOf({ text: 'Install a certificate of a public authority for this name, with its whole chain.' }),
    }),
  },
  'webhook-timed-out': {
    kind: 'transient',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The receiver did not answer in time.',
      cause: `There was no whole answer by ${theReceiver(facts)} within fifteen seconds.`,
      remedy: remedyOf({ text: `Answer at once with 204, and work on the event afterwards. ${LATER}` }),
    }),
  },
  'webhook-redirected': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The receiver answers with a redirect, which is not followed.',
      cause: `A redirect by ${theReceiver(facts)} could lead anywhere; the address that was entered is the only one that is called.`,
      remedy: remedyOf({ text: 'Enter the address that it redirects to as that of the webhook.' }),
    }),
  },
  'webhook-refused': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The receiver did not take the event${because(facts)}.`,
      cause: `Only an answer from 200 to 299 by ${theReceiver(facts)} says that it has the event.`,
      remedy: remedyOf({ text: `Look into the log of the receiver. ${LATER}` }),
    }),
  },
  'webhook-gone': {
    kind: 'denied',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The receiver answers 410 Gone: the webhook was switched off.',
      cause: `By 410 ${theReceiver(facts)} says that it wants no more events.`,
      remedy: remedyOf({ text: 'Delete the webhook, or put it again to switch it on.' }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

export const WEBHOOK_FAILURES = { ...WEBHOOK_INPUT_FAILURES, ...WEBHOOK_DELIVERY_FAILURES };

declare module './failure.ts' {
  interface FailureAreas {
    readonly webhooks: typeof WEBHOOK_FAILURES;
  }
  interface FailureFacts {
    readonly webhookHost?: string;
  }
}

export const { failure: webhookFailure } = catalogue(WEBHOOK_FAILURES);
