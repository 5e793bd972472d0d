// The client secrets of a connection that is put: at most two at once, the newer first, so that one is replaced without a gap. The older goes once the
// newer has worked, or on request.
import { sameApp, type Connection, type ConnectionPlace } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';
import type { Credential } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { ClientSecret } from '../../domain/client-secret.ts';
import type { Providers, TypedSecret, WantedConnection } from '../../providers/provider.ts';
import { openClientSecret, sealClientSecret } from '../keys/client-secrets.ts';

type Secrets = readonly ClientSecret[];

interface PutSecrets {
  readonly held: Connection | undefined;
  readonly wanted: WantedConnection;
  /** Encrypts the secret that was typed: once, however often the put is tried. */
  readonly seal: (secret: {
    readonly value: string;
    readonly expiresAt: string;
  }) => Promise<Result<ClientSecret, Failure>>;
}

/** The wanted credential with the secrets that it is to have; the held one if nothing changes. */
export async function credentialToPut(
  deps: { readonly providers: Providers; readonly clock: Clock },
  { held, wanted, seal }: PutSecrets,
): Promise<Result<Credential, Refusal>> {
  const { credential, secret } = wanted;
  const isSame = held !== undefined && sameApp(held.credential, credential) && held.tenantId === wanted.tenantId;
  if (!secret) return ok(held && sameApp(held.credential, credential) ? held.credential : credential);
  const stored = isSame ? (held.credential.secrets ?? []) : [];
  const secrets = await secretsToPut(deps, { stored, wanted, secret, seal });
  if (!secrets.ok) return secrets;
  return ok(isSame && sameSecrets(stored, secrets.value) ? held.credential : { ...credential, secrets: secrets.value });
}

async function secretsToPut(
  { providers, clock }: { readonly providers: Providers; readonly clock: Clock },
  put: Pick<PutSecrets, 'wanted' | 'seal'> & { readonly stored: Secrets; readonly secret: TypedSecret },
): Promise<Result<Secrets, Refusal>> {
  const { stored, wanted, seal, secret } = put;
  const { value, expiresAt, dropOlder = false } = secret;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= clock.now().getTime())
    return invalid('expiresAt', 'This secret has expired. Make a new one, and enter its Value and its date.');
  const [newest] = stored;
  if (newest) {
    const isKnown = value === undefined ? ok(true) : await holds(providers, newest, { wanted, value });
    if (!isKnown.ok) return err(refusedBy(isKnown.error));
    const dated = { ...newest, expiresAt: expiresAt ?? newest.expiresAt };
    if (isKnown.value) return ok(dropOlder ? [dated] : [dated, ...stored.slice(1)]);
  }
  if (value === undefined || expiresAt === undefined)
    return invalid(
      'clientSecret',
      'No secret of this app is stored yet: enter its Value, and the date at which it expires.',
    );
  const sealed = await seal({ value, expiresAt });
  if (!sealed.ok) return err(refusedBy(sealed.error));
  // Of two, the older is the one that has worked, and serves on until it ends.
  const now = clock.now().getTime();
  const proven = stored.findLast((one) => now < Date.parse(one.expiresAt)) ?? stored.at(-1);
  return ok(proven && !dropOlder ? [sealed.value, proven] : [sealed.value]);
}

/** Whether it is the very secret that was typed. */
async function holds(
  providers: Providers,
  secret: ClientSecret,
  { wanted, value }: { readonly wanted: WantedConnection; readonly value: string },
): Promise<Result<boolean, Failure>> {
  const { clientId } = wanted.credential;
  const opened = await openClientSecret({ providers }, secret, { tenantId: wanted.tenantId ?? '', clientId });
  return opened.ok ? ok(opened.value === value) : opened;
}

const sameSecrets = (a: Secrets, b: Secrets): boolean =>
  a.length === b.length &&
  a.every(({ secretId, expiresAt }, index) => secretId === b[index]?.secretId && expiresAt === b[index].expiresAt);

const invalid = (field: string, message: string): Result<never, Refusal> =>
  err({ type: 'invalid', target: `body.credential.${field}`, message });

/** Encrypts the typed secret at most once, so that a put that is tried again finds its own. */
export function sealingOnce(
  deps: { readonly providers: Providers; readonly entropy: Entropy; readonly clock: Clock },
  { companyId, connectionId }: ConnectionPlace,
  { tenantId = '', credential: { clientId } }: WantedConnection,
): PutSecrets['seal'] {
  const secretId = deps.entropy.id();
  let sealed: ReturnType<typeof sealClientSecret> | undefined;
  return ({ value, expiresAt }) => {
    const about = { companyId, connectionId, secretId, enteredAt: deps.clock.now().toISOString(), expiresAt };
    return (sealed ??= sealClientSecret(deps, about, { tenantId, clientId, value }));
  };
}
