// The kinds of credentials by name, and what each takes before a token is asked for. Pure.
import type { Credential } from '../../domain/provider.ts';

/** The connector app in the tenant of the company. */
export const FEDERATED = 'federated';
/** The app's own identity, at a key of a company's own in a vault in the vendor's tenant. */
export const VENDOR_HOSTED = 'vendor-hosted';

/** An app of the company's own in its own tenant, which shows a client secret. */
export const CLIENT_SECRET = 'client-secret';

const WITHOUT_CONSENT: ReadonlySet<string> = new Set([CLIENT_SECRET, VENDOR_HOSTED]);

/** Whether an administrator of the vault's tenant must let the app in. A kind that is not known takes it. */
export const takesConsent = ({ kind }: Pick<Credential, 'kind'>): boolean => !WITHOUT_CONSENT.has(kind);

/** Whether the key lies with the vendor: then only the vendor's administrators may make or change the connection. */
export const isHostedByVendor = ({ kind }: Pick<Credential, 'kind'>): boolean => kind === VENDOR_HOSTED;

/** Whether the first green test claims the key: with its own app's secret the company itself has let us in. */
export const isClaimedByTest = ({ kind }: Pick<Credential, 'kind'>): boolean => kind === CLIENT_SECRET;
