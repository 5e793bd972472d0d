// Google Workspaces as a kind of tenants: their domains, their words, how their administrators sign in. Pure over a client.
import { failure } from './words/failures.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { SignInClient, TenantKind, TenantSignIn } from '../identity.ts';
import { signInJudgedBy } from '../judged-sign-in.ts';
import { judgeGoogleAdmin, type GooglePerson } from './admin.ts';

/** Personal Google accounts belong to no Workspace. */
const PERSONAL_DOMAINS: readonly string[] = ['gmail.com', 'googlemail.com'];

const MAX_DOMAIN_CHARS = 253;
/** RFC 5891, 4.2.3.1: two dashes in third and fourth place are Punycode's, which has more behind them. */
const LABEL = /^(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|xn--[a-z0-9](?:[a-z0-9-]{0,57}[a-z0-9])?)$/;
/** A last label that begins with a digit would make an address of the name, or nothing. */
const TOP_LEVEL = /^[a-z]/;
const label = LABEL.source.slice(1, -1);

export const GOOGLE_WORKSPACE: TenantKind = {
  name: 'google-workspace',
  idPattern: new RegExp(String.raw`^(?:${label}\.)+(?=[a-z])${label}$`),
  words: {
    service: 'Google',
    tenant: 'Google Workspace',
    id: 'the primary domain, in lower case, international names in Punycode',
    speaker: {
      article: 'A',
      roles: ['super administrator'],
      place: 'of the Google Workspace',
      note: 'A delegated administrator is not enough.',
    },
    signIn:
      'It shows who you are. Google asks you to let the application read the directory as well: it looks once, at your own entry, whether you are a super administrator, and at the domain, whether it is verified, and keeps no access.',
  },
  notItsAdmin: (tenantId) => failure('google-wrong-domain', { detail: `the account does not belong to ${tenantId}` }),
  parseId: parseDomain,
  // A domain can lapse, be bought, and be made a Workspace anew by its next owner. Google gives no other Workspace the same customer id.
  pin: {
    judge: ({ tenantId, pinned, speaks }) => {
      if (speaks === undefined) return failure('google-error', { detail: 'no customer id' });
      return pinned === undefined || pinned === speaks
        ? undefined
        : failure('google-workspace-changed', { detail: tenantId });
    },
  },
};

function parseDomain(domain: string): Result<string, string> {
  const labels = domain.split('.');
  const isDomain =
    domain.length <= MAX_DOMAIN_CHARS &&
    labels.length >= 2 &&
    labels.every((one) => LABEL.test(one)) &&
    TOP_LEVEL.test(labels.at(-1) ?? '');
  if (!isDomain) {
    return err('must be the primary domain of a Google Workspace, in lower case, international names in Punycode');
  }
  return PERSONAL_DOMAINS.includes(domain)
    ? err('is where personal accounts are, and no Google Workspace')
    : ok(domain);
}

export const signInAtGoogle = (client: SignInClient<GooglePerson>): TenantSignIn =>
  signInJudgedBy(client, judgeGoogleAdmin);
