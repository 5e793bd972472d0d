// What the vendor's seal key signs, and the check of a seal. Pure. RSA wrapping authenticates no one: without the seal, a writer of the
// tables could wrap a company key of their own or point a connection at another vault.
import { createHash, verify, type KeyObject } from 'node:crypto';
import type { CompanyKeyContext, Seal, Wrap } from './company-key.ts';
import { ALL_FEATURES, type Feature } from './company-features.ts';
import { NO_POLICY, type CompanyPolicy } from './company-policy.ts';
import type { Connection, Consent, Move } from './connection.ts';
import { sealedTextsOf, type ProviderRef } from './provider.ts';
import type { ExportState } from './export-state.ts';
import type { SignedIn, SignInLink } from './sign-in-link.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import { sealedTextsOfClientSecret } from './client-secret.ts';
import { textsOfSubject, type SignInSubject } from './sign-in-subject.ts';
import type { Switch } from './switch.ts';
import type { Tenant, TenantPin, TenantRef } from './tenant.ts';
import type { Verification } from './verification.ts';
import { sealedTextsOfSecret } from './sealed-secret.ts';
import type { Webhook, WebhookKey, WebhookPlace } from './webhook.ts';

/** The sealed bytes of a wrap, including whether it is in force or a switch's guard. */
export function sealedBytesOfWrap(context: CompanyKeyContext, wrap: Omit<Wrap, 'seal'>): Buffer {
  return lengthPrefixed([
    'keyswitch.seal.wrap.1',
    context.companyId,
    context.keyringId,
    String(context.version),
    ...sealedTextsOf(wrap.ref, wrap),
    wrap.keyId,
    wrap.algorithm,
    createHash('sha256').update(Buffer.from(wrap.ciphertext, 'base64url')).digest('hex'),
    wrap.commitment,
    wrap.guard === true ? 'guard' : '',
  ]);
}

/** The sealed bytes of a connection: everything that decides where a token and a wrapped key would be sent. */
export function sealedBytesOfConnection(companyId: string, connection: Omit<Connection, 'seal'>): Buffer {
  const secrets = (connection.credential.secrets ?? []).flatMap(sealedTextsOfClientSecret);
  return lengthPrefixed(['keyswitch.seal.connection.1', companyId, ...textsOfConnection(connection), ...secrets]);
}

/** What identifies a connection: sealed in it and in a consent to it, and bound into a link that asks for consent. */
export const textsOfConnection = (connection: Omit<Connection, 'seal'>): readonly string[] => [
  ...sealedTextsOf(connection, connection),
  (connection.movedFrom ?? []).join(' '),
  connection.credential.kind,
  connection.credential.clientId,
];

/** The sealed bytes of a consent: for which company, to what, by whom and when. */
export function sealedBytesOfConsent(
  companyId: string,
  connection: Omit<Connection, 'seal' | 'consent'>,
  consent: Omit<Consent, 'seal'>,
): Buffer {
  const { grantedAt, adminId } = consent;
  return lengthPrefixed(['keyswitch.seal.consent.1', companyId, ...textsOfConnection(connection), grantedAt, adminId]);
}

/** The sealed bytes of a consent to a moved vault: the connection as it is, the new tenant, by whom and when. */
export function sealedBytesOfMove(
  companyId: string,
  connection: Omit<Connection, 'seal' | 'move'>,
  move: Omit<Move, 'seal'>,
): Buffer {
  const { tenantId, grantedAt, adminId } = move;
  const texts = [...textsOfConnection(connection), tenantId, grantedAt, adminId];
  return lengthPrefixed(['keyswitch.seal.move.1', companyId, ...texts]);
}

/** The sealed bytes of a verification: who approved what, where it leads, and when. */
export function sealedBytesOfVerification(companyId: string, verification: Omit<Verification, 'seal'>): Buffer {
  return lengthPrefixed([
    'keyswitch.seal.verification.1',
    companyId,
    verification.approval,
    verification.kind,
    verification.tenantId,
    verification.destination,
    verification.verifiedAt,
    verification.customerId ?? '',
    verification.adminId,
  ]);
}

/** The sealed bytes of a tenant's pin: which owner first approved for this registration of the tenant. */
export function sealedBytesOfPin(
  companyId: string,
  { kind, tenantId, registeredAt }: TenantRef & Pick<Tenant, 'registeredAt'>,
  { customerId, pinnedAt }: Omit<TenantPin, 'seal'>,
): Buffer {
  return lengthPrefixed(['keyswitch.seal.workspace.1', companyId, kind, tenantId, registeredAt, customerId, pinnedAt]);
}

/** The sealed bytes of a link: whom it asks for what, where that led, and for how long. That it was answered is a mark and not sealed. */
export function sealedBytesOfLink(
  companyId: string,
  linkHash: string,
  link: Omit<SignInLink, 'seal' | 'doneAt'>,
): Buffer {
  const { subject, about, requestedBy, createdAt, expiresAt } = link;
  const texts = [companyId, linkHash, about, requestedBy, createdAt, expiresAt, ...textsOfSubject(subject)];
  return lengthPrefixed(['keyswitch.seal.link.1', ...texts]);
}

/** What the page with the question shows. */
export interface Shown {
  readonly subject: SignInSubject;
  /** Digest of where it leads. */
  readonly about: string;
}

/**
 * The sealed bytes of a person who signed in and may now answer the page's question: who they are, which link they opened, in which browser, and what
 * the page showed them. The hash of the browser's cookie ties the seal to this one sign-in.
 */
export function sealedBytesOfSignedIn(
  companyId: string,
  state: { readonly link: string; readonly browser: string; readonly expiresAt: string },
  { person, shown }: { readonly person: SignedIn; readonly shown: Shown },
): Buffer {
  const who = [person.id, person.displayName, person.customerId ?? ''];
  const texts = [companyId, state.link, state.browser, state.expiresAt, ...who];
  return lengthPrefixed(['keyswitch.seal.signed-in.1', ...texts, shown.about, ...textsOfSubject(shown.subject)]);
}

/**
 * The sealed bytes of a switch: what was ordered, by whom, and what lets it go on. Without its state and counts: they grant nothing, since a commit
 * checks again everything that its state claims.
 */
export function sealedBytesOfSwitch(companyId: string, sw: Omit<Switch, 'seal'>): Buffer {
  const held = (sw.removedTenants ?? []).flatMap(({ kind, tenantId }) => [kind, tenantId]);
  return lengthPrefixed([
    'keyswitch.seal.switch.1',
    companyId,
    sw.keyringId,
    sw.switchId,
    sw.kind,
    ...textsOfProvider(sw.source),
    ...textsOfProvider(sw.target),
    sw.requestedBy,
    sw.createdAt,
    String(sw.denialAccepted),
    String(sw.endsWithoutKeeping ?? false),
    String(sw.awaitsConfirmation ?? false),
    ...held,
  ]);
}

/** The sealed bytes of whether a keyring's company key may be exported. */
export function sealedBytesOfExports(
  { companyId, keyringId }: { readonly companyId: string; readonly keyringId: string },
  { round, allowanceUntil }: ExportState,
): Buffer {
  return lengthPrefixed(['keyswitch.seal.export.1', companyId, keyringId, String(round), allowanceUntil ?? '']);
}

/** The sealed bytes of what the vendor lets a company have. That it has no set of its own, and so every feature, is sealed too. */
export function sealedBytesOfFeatures(companyId: string, features: readonly Feature[] | undefined): Buffer {
  const has = features ? ['only', ...features] : [ALL_FEATURES];
  return lengthPrefixed(['keyswitch.seal.features.1', companyId, ...has]);
}

/** The sealed bytes of what a company demands itself. None is sealed as the one that demands nothing. */
export function sealedBytesOfPolicy(companyId: string, policy: CompanyPolicy = NO_POLICY): Buffer {
  const { vendorKey, keyringsPerProvider, minRsaBits } = policy;
  const texts = [vendorKey, keyringsPerProvider, String(minRsaBits ?? '')];
  return lengthPrefixed(['keyswitch.seal.policy.1', companyId, ...texts]);
}

/** The sealed bytes of a webhook: whose events go where, and signed by what. */
export function sealedBytesOfWebhook({ companyId, webhookId }: WebhookPlace, webhook: Omit<Webhook, 'seal'>): Buffer {
  const { url, types, state, keys, createdAt } = webhook;
  const own = [companyId, webhookId, url, state, createdAt, String(types.length), ...types];
  return lengthPrefixed(['keyswitch.seal.webhook.1', ...own, ...keys.flatMap(textsOfWebhookKey)]);
}

const textsOfWebhookKey = ({ id, kind, publicKey, secret, createdAt, expiresAt }: WebhookKey): readonly string[] => [
  id,
  kind,
  publicKey ?? '',
  createdAt,
  expiresAt ?? '',
  ...sealedTextsOfSecret(secret),
];

const textsOfProvider = (ref: ProviderRef): readonly string[] => [ref.provider, ref.connectionId ?? ''];

/** True if `seal` is the ES256 signature of `bytes` by `publicKey`. */
export function sealVerifies(input: {
  readonly bytes: Uint8Array;
  readonly seal: Seal;
  readonly publicKey: KeyObject;
}): boolean {
  const signature = Buffer.from(input.seal.signature, 'base64url');
  return verify('sha256', input.bytes, { key: input.publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}
