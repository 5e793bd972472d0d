// `keyswitch byok`: bring your own key. Both commands work without a network, so that the key never leaves the machine of its owner in the clear.
import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { parseKeyId } from '../../shared/domain/provider.ts';
import { readTransferFile, writeTransferFile } from '../../shared/providers/azure-key-vault/byok/transfer-file.ts';
import { readExchangeKey, type ExchangeKey } from '../byok/exchange-key.ts';
import { publicHalf, readPrivateKey } from '../byok/private-key.ts';
import { wrapPrivateKey } from '../byok/wrap-key.ts';
import { readInput, writeOutput } from '../files.ts';
import { inJson, inLines, type Facts } from '../output.ts';
import type { Surroundings } from '../surroundings.ts';
import { Refused } from '../refused.ts';

interface ExchangeKeyOptions {
  readonly kek: string;
  readonly kid?: string;
  readonly json?: true;
}
interface WrapOptions extends ExchangeKeyOptions {
  readonly key: string;
  readonly out: string;
  readonly passphraseFile?: string;
  readonly replace?: true;
}

export function addByok(program: Command, surroundings: Surroundings): void {
  const byok = program.command('byok').description('bring your own key: wrap it on your machine for a vault of yours');
  const kek = [
    '--kek <file>',
    'the exchange key: what "az keyvault key show --id KEY-ID" prints, a JWK, or PEM',
  ] as const;
  const kid = ['--kid <id>', 'id of the exchange key, with its version, where the file does not say it'] as const;
  byok
    .command('wrap')
    .description('wrap an RSA private key, so that only the vault of the exchange key can open it')
    .requiredOption(...kek)
    .requiredOption('--key <file>', 'your RSA private key: PKCS #8 or PKCS #1, PEM or DER')
    .requiredOption('--out <file>', 'the transfer file to be written, such as mykey.byok')
    .option(...kid)
    .option(
      '--passphrase-file <file>',
      'file with the passphrase of your private key; its last line end does not count',
    )
    .option('--replace', 'overwrite the file that --out names')
    .option('--json', 'answer with one JSON object')
    .addHelpText('after', AFTER_WRAP)
    .action((options: WrapOptions) => surroundings.print(wrap(options, surroundings.version)));
  byok
    .command('check')
    .description('tell whether a transfer file, of any tool, was made for this exchange key and can be whole')
    .argument('<file>', 'transfer file')
    .requiredOption(...kek)
    .option(...kid)
    .option('--json', 'answer with one JSON object')
    .action((file: string, options: ExchangeKeyOptions) => surroundings.print(check(file, options)));
}

const AFTER_WRAP = `
The exchange key is an RSA-HSM key of your vault (Premium) that may import and nothing else:
  az keyvault key create --vault-name VAULT --name NAME --kty RSA-HSM --size 4096 --ops import
  az keyvault key show --id KEY-ID > kek.json
Afterwards:
  az keyvault key import --vault-name VAULT --name YOUR-KEY --kty RSA --byok-file FILE --ops wrapKey unwrapKey
and delete the exchange key.
`;

function wrap(options: WrapOptions, version: string): string {
  const exchangeKey = exchangeKeyOf(options);
  const content = readInput(options.key, 'private key');
  const privateKey = readPrivateKey(content, passphraseIn(options.passphraseFile));
  content.fill(0);
  if (publicHalf(privateKey).equals(publicHalf(exchangeKey.publicKey)))
    throw new Refused('The private key is the exchange key itself: give the key that shall travel');
  const ciphertext = wrapPrivateKey(privateKey, exchangeKey.publicKey);
  const file = writeTransferFile({ kid: exchangeKey.kid, ciphertext }, `keyswitch ${version}`);
  writeOutput(options.out, file, { replace: options.replace === true });
  return told(options, {
    file: options.out,
    keyBits: privateKey.asymmetricKeyDetails?.modulusLength ?? 0,
    publicKeySha256: createHash('sha256').update(publicHalf(privateKey)).digest('hex'),
    wrappedFor: exchangeKey.kid,
  });
}

function check(file: string, options: ExchangeKeyOptions): string {
  const exchangeKey = exchangeKeyOf(options);
  const found = readTransferFile(readInput(file, 'transfer file').toString('utf8'), exchangeKey);
  if (!found.ok) throw new Refused(`${found.error.message} (${found.error.fault})`);
  const host = parseKeyId(exchangeKey.kid)?.host ?? '';
  return told(options, {
    file,
    wrappedFor: found.value.kid,
    vault: host,
    ciphertextBytes: found.value.ciphertext.length,
  });
}

const exchangeKeyOf = ({ kek, kid }: ExchangeKeyOptions): ExchangeKey =>
  readExchangeKey(readInput(kek, 'exchange key').toString('utf8'), kid);

const passphraseIn = (file: string | undefined): string | undefined =>
  file === undefined
    ? undefined
    : readInput(file, 'passphrase')
        .toString('utf8')
        .replace(/\r?\n$/, '');

const told = ({ json }: ExchangeKeyOptions, facts: Facts): string => (json ? inJson(facts) : inLines(facts));
