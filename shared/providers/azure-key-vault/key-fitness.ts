// Whether a key is fit to protect a company key. Pure: `now` is passed in. Azure goes on unwrapping with a key outside its
// dates and refuses only to wrap (docs/azure.md), so a key in force is not lost by what would keep a new one out.
import { failure } from './words/failures.ts';
import { asDenial, asWarning, type Failure, type FailureFacts } from '../../domain/failure.ts';
import { warnedOf } from '../../domain/key-dates.ts';
import { parseKeyId, type VaultKey } from '../../domain/provider.ts';

export interface KeyPolicy {
  readonly minRsaBits: number;
  /** What to make of a key that can be purged. A key in force is only ever warned about. */
  readonly purgeable: 'warn' | 'refuse';
  readonly now: Date;
  /** `in-force`: company keys are already wrapped by it. */
  readonly purpose: 'test' | 'in-force';
  /** How old a version may become before a warning; 0 or none: as old as it may. */
  readonly rotationDays?: number;
  /** The key is in the vendor's own vault. */
  readonly ownVault?: boolean;
  /** The key is a company's, in a vault that the vendor hosts. */
  readonly hostedByVendor?: boolean;
}

interface KeyJudgement {
  readonly denials: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** Everything that is wrong at once. A rule for set-up only warns about a key in force: it must never count as revoked. */
export function judgeKey(key: VaultKey, policy: KeyPolicy): KeyJudgement {
  const found = [...usability(key, policy), ...setUpRules(key, policy).map((rule) => forPurpose(rule, policy))];
  return {
    denials: found.filter((problem) => problem.kind === 'denied'),
    warnings: found.filter((problem) => problem.kind !== 'denied'),
  };
}

/** What keeps any key from unwrapping. */
function usability(key: VaultKey, policy: KeyPolicy): Failure[] {
  const facts = factsOf(key, policy);
  const found: Failure[] = [];
  if (!key.enabled) found.push(failure('key-disabled', facts));
  if (!isRsa(key)) found.push(failure('key-type-unsupported', { ...facts, detail: `it is of type ${key.keyType}` }));
  else if (!key.keyOps.includes('unwrapKey')) {
    const permitted = key.keyOps.length === 0 ? 'none is listed' : `they are ${key.keyOps.join(', ')}`;
    const onlyImports = key.keyOps.includes('import') ? { onlyImports: true } : {};
    found.push(failure('key-operation-not-permitted', { ...facts, ...onlyImports, detail: permitted }));
  }
  return found;
}

function setUpRules(key: VaultKey, policy: KeyPolicy): Failure[] {
  const { minRsaBits, purgeable, now } = policy;
  const facts = factsOf(key, policy);
  const found: Failure[] = [];
  if (isRsa(key) && key.sizeBits < minRsaBits) {
    const detail = `it has ${key.sizeBits} bits, and ${minRsaBits} are asked for`;
    found.push(failure('key-too-small', { ...facts, detail }));
  }
  if (key.expires !== undefined && key.expires <= now) {
    found.push(failure('key-expired', { ...facts, detail: `on ${key.expires.toISOString()}` }));
  }
  if (key.notBefore !== undefined && key.notBefore > now) {
    found.push(failure('key-not-yet-valid', { ...facts, detail: `only from ${key.notBefore.toISOString()}` }));
  }
  found.push(...ofDates(key, policy));
  if (key.recoveryLevel?.includes('Purgeable') === true) {
    const warning = failure('key-purgeable', facts);
    found.push(purgeable === 'refuse' ? asDenial(warning) : warning);
  }
  return found;
}

const EXPIRES_IN = {
  30: 'key-expires-in-a-month',
  7: 'key-expires-in-a-week',
  1: 'key-expires-in-a-day',
} as const;
const ROTATION_IN = {
  30: 'key-rotation-due-in-a-month',
  7: 'key-rotation-due-in-a-week',
  1: 'key-rotation-due-in-a-day',
  0: 'key-rotation-overdue',
} as const;

function ofDates(key: VaultKey, policy: KeyPolicy): Failure[] {
  const warned = warnedOf(key, policy);
  if (!warned) return [];
  const code = warned.about === 'expiry' ? EXPIRES_IN[warned.within] : ROTATION_IN[warned.within];
  return [failure(code, { ...factsOf(key, policy), detail: warned.at.toISOString() })];
}

const forPurpose = (problem: Failure, { purpose }: KeyPolicy): Failure =>
  // invariant A19: a rule for new keys revokes none in force
  purpose === 'in-force' && problem.kind === 'denied' ? asWarning(problem) : problem;

const isRsa = ({ keyType }: VaultKey): boolean => keyType === 'RSA' || keyType === 'RSA-HSM';

/** Of a key in force the version is named: it may not be the newest. */
function factsOf(
  key: VaultKey,
  { purpose, ownVault, hostedByVendor }: Pick<KeyPolicy, 'purpose' | 'ownVault' | 'hostedByVendor'>,
): FailureFacts {
  const id = parseKeyId(key.keyId);
  if (!id) return {};
  const isHsm = key.keyType.endsWith('-HSM') ? { isHsm: true } : {};
  const isOwn = ownVault === true ? ({ ownVault: 'company-keys' } as const) : {};
  const isHosted = hostedByVendor === true ? { hostedByVendor } : {};
  const facts = { vaultHost: id.host, keyName: id.keyName, ...isHsm, ...isOwn, ...isHosted };
  return purpose === 'in-force' ? { ...facts, keySeen: true, inUse: true, keyVersion: id.version } : facts;
}
