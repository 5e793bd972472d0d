// What a refusal means for a key that already wraps something. Pure. Every caller words it with the same facts: which version it is, that the key was
// there, and that it was not typed just now.
import { failure, withFacts } from './words/failures.ts';
import { factsOfUse, type Connection } from '../../domain/connection.ts';
import { asDenial, type Failure, type FailureFacts } from '../../domain/failure.ts';
import { hostedFacts } from './words/hosted-vault.ts';
import { NAME_UNSURE } from './words/vault-network-failures.ts';
import { parseKeyId } from '../../domain/provider.ts';

/** The same for a failure on the way to a connection's vault, with the connection's facts; those in `more` come first. */
export function ofConnection(found: Failure, connection: Connection, more: FailureFacts = {}): Failure {
  const known = withFacts(found, { ...factsOfUse(connection), ...hostedFacts(connection.credential), ...more });
  return connection.usedBy.length === 0 ? known : ofKeyInUse(known);
}

/** `keyId`: the versioned id that the wrap names; undefined if no version was asked for. */
export function ofKeyInUse(found: Failure, keyId?: string): Failure {
  const version = keyId === undefined ? undefined : parseKeyId(keyId)?.version;
  const facts: FailureFacts = { keySeen: true, inUse: true, ...(version === undefined ? {} : { keyVersion: version }) };
  const known = withFacts(found, facts);
  if (known.code === 'key-disabled' && known.facts.newerVersion !== undefined)
    return failure('key-version-disabled', known.facts, known.service);
  if (known.code === 'key-not-found' && known.facts.goneForLong === true)
    return failure('key-purged', known.facts, known.service);
  // It was there: the name was not mistyped.
  if (known.code === 'vault-not-found')
    return isSeenToBeGone(known)
      ? failure('vault-deleted', known.facts, known.service)
      : failure('vault-unreachable', { ...known.facts, detail: NAME_UNSURE }, known.service);
  if (known.code === 'access-denied-rbac' && isAfterRecovery(known))
    return failure('vault-recovered', known.facts, known.service);
  // The tenant was not typed just now: it was there, and is gone.
  return known.code === 'entra-tenant-not-found' && known.kind === 'input' ? asDenial(known) : known;
}

/** A deny assignment comes before any role, and a role that was given just now may be on its way. */
const isAfterRecovery = ({ kind, facts }: Failure): boolean =>
  facts.vaultWasDeleted === true && facts.denyAssignmentId === undefined && kind === 'denied';

/** The vault itself says that it is gone, or a second resolver does. */
const isSeenToBeGone = ({ facts, service }: Failure): boolean => facts.nameGone === true || service?.status === 404;
