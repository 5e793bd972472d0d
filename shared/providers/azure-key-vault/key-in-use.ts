// What a refusal means for a key that something is wrapped by already. Pure. Whoever meets it says the same with the same facts: which
// version, that the key was there, and that nothing about it was typed just now.
import { failure, withFacts } from './words/failures.ts';
import { factsOfUse, type Connection } from '../../domain/connection.ts';
import { asDenial, type Failure, type FailureFacts } from '../../domain/failure.ts';
import { NAME_UNSURE } from './words/vault-network-failures.ts';
import { parseKeyId } from '../../domain/provider.ts';

/** The same of what is met on the way to a connection's vault, with all that is known of the connection. `more` is known better. */
export function ofConnection(found: Failure, connection: Connection, more: FailureFacts = {}): Failure {
  const known = withFacts(found, { ...factsOfUse(connection), ...more });
  return connection.usedBy.length === 0 ? known : ofKeyInUse(known);
}

/** `keyId`: the versioned id that the wrap names. Undefined: no version of it was asked for. */
export function ofKeyInUse(found: Failure, keyId?: string): Failure {
  const version = keyId === undefined ? undefined : parseKeyId(keyId)?.version;
  const facts: FailureFacts = { keySeen: true, inUse: true, ...(version === undefined ? {} : { keyVersion: version }) };
  const known = withFacts(found, facts);
  if (known.code === 'vault-not-found' && !isSeenToBeGone(known)) {
    return failure('vault-unreachable', { ...known.facts, detail: NAME_UNSURE }, known.service);
  }
  // Nobody has typed this tenant just now: it was there, and is gone.
  return known.code === 'entra-tenant-not-found' && known.kind === 'input' ? asDenial(known) : known;
}

/** The vault said so itself, or a resolver that knows other names. */
const isSeenToBeGone = ({ facts, service }: Failure): boolean => facts.nameGone === true || service?.status === 404;
