// A vault that the vendor hosts for one company fails like any other. Whose move it is differs: the key is the company's, whose key manager keeps it; the vault, who may
// enter it and its network are the vendor's. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { lower } from '../../../domain/failure-words.ts';
import type { Credential } from '../../../domain/provider.ts';
import { isHostedByVendor } from '../../../identity/entra/credential-kinds.ts';
import { VAULT_LIFE_FAILURES } from './vault-life-failures.ts';

/** What a company is promised with such a key, and what it is not. Shown with the connection and where a switch to it is approved. */
export const HOSTED_NOTICE =
  "The key is the company's own, in a vault that the vendor hosts in its own Entra tenant. The company's key manager can rotate, disable and delete it, and " +
  "what it protects cannot be opened from then on. But administrators of the vendor's tenant can reach the vault: they could give themselves the right to " +
  "use the key, or enable it again. A key in a vault of the company's own tenant rules that out.";

export const hostedFacts = (credential: Credential | undefined): Pick<FailureFacts, 'hostedByVendor'> =>
  credential !== undefined && isHostedByVendor(credential) ? { hostedByVendor: true } : {};

/** What a key manager does to a key, and can undo. */
const OF_THE_KEY: ReadonlySet<string> = new Set([
  ...Object.keys(VAULT_LIFE_FAILURES),
  'key-not-found',
  'key-deleted',
  'key-purged',
  'key-disabled',
  'key-expired',
  'key-not-yet-valid',
  'key-type-unsupported',
  'key-too-small',
  'key-operation-not-permitted',
]);

/** The same entries; those of `atVault` fill in whose move it is where the vault is a hosted one. */
export const withHostedVault = <Code extends string>(
  entries: Readonly<Record<Code, FailureEntry>>,
  atVault: ReadonlySet<string>,
): Readonly<Record<Code, FailureEntry>> =>
  Object.fromEntries(
    Object.entries<FailureEntry>(entries).map(([code, entry]) => [
      code,
      !atVault.has(code) || entry.owner === 'vendor' ? entry : { ...entry, words: wordsOf(code, entry) },
    ]),
  ) as Record<Code, FailureEntry>;

const wordsOf =
  (code: string, { words }: FailureEntry) =>
  (facts: FailureFacts): FailureWords => {
    const usual = words(facts);
    if (facts.hostedByVendor !== true || usual.owner === 'vendor') return usual;
    if (code === 'wrong-entra-tenant') return ofOtherTenant(usual);
    return OF_THE_KEY.has(code) ? ofTheKey(usual) : ofTheVault(usual);
  };

const ofOtherTenant = ({ cause, remedy }: FailureWords): FailureWords => ({
  owner: 'vendor',
  message: "The vault that the vendor hosts for the company is not in the vendor's own Entra tenant.",
  cause,
  remedy: {
    ...remedy,
    text: 'The vendor moves the vault back; or, if it was never there, enters the connection again with a vault of its own tenant.',
  },
});

const ofTheKey = ({ message, cause, remedy }: FailureWords): FailureWords => ({
  owner: 'company-admin',
  message,
  cause,
  remedy: { ...remedy, text: `In the company's key manager: ${lower(remedy.text)}` },
});

const ofTheVault = ({ message, cause, remedy }: FailureWords): FailureWords => ({
  owner: 'vendor',
  message: `The vault that the vendor hosts for the company fails: ${lower(message)}`,
  cause,
  remedy: { ...remedy, text: `Nothing is for the company to do: the vendor mends the vault. ${remedy.text}` },
});
