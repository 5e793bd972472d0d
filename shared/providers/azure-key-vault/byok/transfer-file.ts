// The file in which a key travels into a vault, wrapped for one exchange key of that vault (.byok). Pure, and without the key itself: it cannot be
// opened outside of the vault. Format: keys/byok-specification of Microsoft's documentation.
import { parseKeyId } from '../../../domain/provider.ts';
import { err, ok, type Result } from '../../../domain/result.ts';

/** Which key of the vault it is wrapped for. */
export interface ExchangeKeyName {
  /** Versioned: `https://host/keys/name/version`. */
  readonly kid: string;
  /** Of its modulus. */
  readonly bits: number;
}

export interface TransferFile {
  readonly kid: string;
  /** An AES-256 key under RSA-OAEP (SHA-1), as long as the exchange key's modulus, then a PKCS #8 key under AES key wrap with padding (RFC 5649). */
  readonly ciphertext: Buffer;
}

export type TransferFileFault =
  'not-a-transfer-file' | 'private-key-in-the-clear' | 'other-format' | 'for-another-key' | 'damaged';

export interface TransferFileProblem {
  readonly fault: TransferFileFault;
  /** One sentence. Repeats nothing of the file but a key id. */
  readonly message: string;
}

const SCHEMA = '1.0.0';
const ALGORITHM = 'dir';
const ENCRYPTION = 'CKM_RSA_AES_KEY_WRAP';
/** A 4096-bit exchange key and a 4096-bit RSA key make 4 kB. */
const MAX_CHARACTERS = 65_536;
const EXCHANGE_KEY_BITS = [2048, 3072, 4096];
/** Of the wrapped PKCS #8 of an RSA key: 1.2 kB at 2048 bits, 2.4 kB at 4096. */
const WRAPPED_BYTES = { min: 1_024, max: 3_072 };
const KEY_WRAP_BLOCK_BYTES = 8;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]{1,12} )?PRIVATE KEY-----|"(?:d|p|q|dp|dq|qi)"\s*:/;

export function writeTransferFile({ kid, ciphertext }: TransferFile, generator: string): string {
  const header = { kid, alg: ALGORITHM, enc: ENCRYPTION };
  const file = { schema_version: SCHEMA, header, ciphertext: ciphertext.toString('base64url'), generator };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** The file, if it was made for this exchange key and can be whole: that it opens, only the vault can say. */
export function readTransferFile(
  text: string,
  exchangeKey: ExchangeKeyName,
): Result<TransferFile, TransferFileProblem> {
  // First, so that a key in the clear is never called a mere mistake of format: it has left its owner's machine and is worth nothing any more.
  if (PRIVATE_KEY.test(text))
    return refused('private-key-in-the-clear', 'This is a private key that nothing protects, not a wrapped one');
  if (text.length > MAX_CHARACTERS) return refused('not-a-transfer-file', `It is longer than ${MAX_CHARACTERS} bytes`);
  const file = objectIn(text.replace(/^\uFEFF/, ''));
  const header = file && asObject(file['header']);
  if (!file || !header)
    return refused('not-a-transfer-file', 'It is no JSON with a header, as the tools of key makers write it');
  const other = otherFormat(file, header);
  if (other !== undefined) return refused('other-format', other);
  const kid = keyIdIn(header['kid'], exchangeKey);
  if (!kid.ok) return kid;
  const ciphertext = ciphertextIn(file['ciphertext'], exchangeKey);
  return ciphertext.ok ? ok({ kid: kid.value, ciphertext: ciphertext.value }) : ciphertext;
}

function otherFormat(file: JsonObject, header: JsonObject): string | undefined {
  const expected = [
    ['schema_version', file['schema_version'], SCHEMA],
    ['header.alg', header['alg'], ALGORITHM],
    ['header.enc', header['enc'], ENCRYPTION],
  ] as const;
  const wrong = expected.find(([, found, wanted]) => found !== wanted);
  return wrong && `Its ${wrong[0]} is not ${wrong[2]}`;
}

/** Key Vault compares ids without regard to case. */
function keyIdIn(kid: unknown, exchangeKey: ExchangeKeyName): Result<string, TransferFileProblem> {
  if (typeof kid !== 'string' || kid === '') return refused('for-another-key', 'Its header names no key (kid)');
  if (!parseKeyId(kid)) {
    const wanted = 'https://VAULT/keys/NAME/VERSION';
    return refused('for-another-key', `Its kid is no key id with a version, such as ${wanted}`);
  }
  if (kid.toLowerCase() !== exchangeKey.kid.toLowerCase())
    return refused('for-another-key', `It was wrapped for ${kid}, and not for ${exchangeKey.kid}`);
  return ok(exchangeKey.kid);
}

/** Base64 of either alphabet, with or without padding and line breaks, as tools write it. */
function ciphertextIn(text: unknown, { bits }: ExchangeKeyName): Result<Buffer, TransferFileProblem> {
  if (typeof text !== 'string' || text === '') return refused('damaged', 'It holds no ciphertext');
  const compact = text.replaceAll(/\s/g, '').replace(/={1,2}$/, '');
  if (!/^[0-9A-Za-z+/_-]+$/.test(compact) || compact.length % 4 === 1)
    return refused('damaged', 'Its ciphertext is no base64');
  const bytes = Buffer.from(compact, 'base64');
  const wrapped = bytes.length - bits / 8;
  if (!EXCHANGE_KEY_BITS.includes(bits) || wrapped < WRAPPED_BYTES.min)
    return refused('damaged', `Its ciphertext is too short for an RSA key under an exchange key of ${bits} bits`);
  if (wrapped > WRAPPED_BYTES.max) return refused('damaged', 'Its ciphertext is too long for an RSA key');
  if (wrapped % KEY_WRAP_BLOCK_BYTES !== 0)
    return refused('damaged', `Its ciphertext, ${bytes.length} bytes, has no length that wrapping makes`);
  return ok(bytes);
}

type JsonObject = Readonly<Record<string, unknown>>;

function objectIn(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const asObject = (value: unknown): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;

const refused = (fault: TransferFileFault, message: string): Result<never, TransferFileProblem> =>
  err({ fault, message });
