// The Microsoft 365 and Google Workspace tenants that are found in a company's data: whose administrators must agree before that
// data comes under another key. Pure.
import type { Seal } from './company-key.ts';
import { GUID_IN_ANY_CASE, isGuid } from './ids.ts';
import { err, ok, type Result } from './result.ts';

export const TENANT_KINDS = ['microsoft-365', 'google-workspace'] as const;
export type TenantKind = (typeof TENANT_KINDS)[number];

export interface TenantRef {
  readonly kind: TenantKind;
  /** Of `microsoft-365` a GUID in lower case, of `google-workspace` a domain in lower case and Punycode. */
  readonly tenantId: string;
}

export interface Tenant extends TenantRef {
  readonly registeredAt: string;
  /** Of a Google Workspace, from its first verification on. */
  readonly pin?: WorkspacePin;
}

/** Which Workspace is behind the domain: Google's own id of its customer, which no other Workspace ever gets. */
export interface WorkspacePin {
  readonly customerId: string;
  readonly pinnedAt: string;
  readonly seal: Seal;
}

/** Whether an administrator, named `tenant/person` by their sign-in, is one of this tenant and no other. */
export const isAdminOf = (adminId: string, tenantId: string): boolean =>
  adminId.startsWith(`${tenantId}/`) && adminId.length > tenantId.length + 1;

/** A gate reads all of them, and a commit checks a signature for each. */
export const MAX_TENANTS_PER_COMPANY = 200;

/** Where personal Microsoft accounts are: it has no administrator who could agree. */
const PERSONAL_ACCOUNTS = '9188040d-6c67-4c5b-b112-36a304b66dad';
const NO_TENANT = '00000000-0000-0000-0000-000000000000';
/** Personal Google accounts belong to no Workspace. */
const PERSONAL_DOMAINS: readonly string[] = ['gmail.com', 'googlemail.com'];

const MAX_DOMAIN_CHARS = 253;
/** RFC 5891, 4.2.3.1: two dashes in third and fourth place are Punycode's, which has more behind them. */
const LABEL = /^(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|xn--[a-z0-9](?:[a-z0-9-]{0,57}[a-z0-9])?)$/;
/** A last label that begins with a digit would make an address of the name, or nothing. */
const TOP_LEVEL = /^[a-z]/;
const unanchored = ({ source }: RegExp): string => source.slice(1, -1);

/** What is taken of either kind, but for tenants of personal accounts, and no tenant at all. */
export const TENANT_ID = new RegExp(
  String.raw`${GUID_IN_ANY_CASE.source}|^(?:${unanchored(LABEL)}\.)+(?=[a-z])${unanchored(LABEL)}$`,
);

/** The id as it is stored and compared, or what is wrong with it. */
export function parseTenantId(kind: TenantKind, typed: string): Result<string, string> {
  return kind === 'microsoft-365' ? parseGuid(typed.toLowerCase()) : parseDomain(typed);
}

function parseGuid(id: string): Result<string, string> {
  if (!isGuid(id) || id === NO_TENANT) return err('must be the GUID of an Entra tenant');
  return id === PERSONAL_ACCOUNTS ? err('is where personal accounts are, and no tenant of a company') : ok(id);
}

function parseDomain(domain: string): Result<string, string> {
  const labels = domain.split('.');
  const isDomain =
    domain.length <= MAX_DOMAIN_CHARS &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    TOP_LEVEL.test(labels.at(-1) ?? '');
  if (!isDomain) {
    return err('must be the primary domain of a Google Workspace, in lower case, international names in Punycode');
  }
  return PERSONAL_DOMAINS.includes(domain)
    ? err('is where personal accounts are, and no Google Workspace')
    : ok(domain);
}
