// What a refusal means for a key that something is wrapped by already. Pure. Whoever meets it says the same with the same facts: which
// version, that the key was there, and that nothing about it was typed just now.
import { asDenial, withFacts } from './failure-catalogue.ts';
import type { Failure, FailureFacts } from './failure.ts';
import { parseKeyId } from './provider.ts';

/** `keyId`: the versioned id that the wrap names. Undefined: no version of it was asked for. */
export function ofKeyInUse(found: Failure, keyId?: string): Failure {
  const version = keyId === undefined ? undefined : parseKeyId(keyId)?.version;
  const facts: FailureFacts = { keySeen: true, inUse: true, ...(version === undefined ? {} : { keyVersion: version }) };
  const known = withFacts(found, facts);
  // Nobody has typed this tenant just now: it was there, and is gone.
  return known.code === 'entra-tenant-not-found' && known.kind === 'input' ? asDenial(known) : known;
}
