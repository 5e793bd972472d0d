// Which stored values could a KEK open? Everything in a dump that has the length of an RSA ciphertext is tried, wherever and
// however it is written: bytes, base64, base64url, hex, also inside JSON. Trying happens inside the vault emulator, past every
// permission: that is what somebody who got hold of the private key could do.
import type { RemoteControl } from '../control/remote-control.ts';
import type { DumpedRow } from './table-dump.ts';

export interface Candidate {
  /** `table partition row`. */
  readonly where: string;
  /** In base64url, as the vault speaks. */
  readonly ciphertext: string;
}

/** Of RSA keys of 2,048, 3,072 and 4,096 bits. */
const CIPHERTEXT_BYTES: readonly number[] = [256, 384, 512];
const BASE64_RUN = /[A-Za-z0-9+/_-]{340,}={0,2}/g;
const HEX_RUN = /[0-9a-fA-F]{512,}/g;
/** Keeps a call below the control API's limit for a body. */
const PER_CALL = 1_000;

const hasRightSize = (bytes: Uint8Array): boolean => CIPHERTEXT_BYTES.includes(bytes.length);

export function candidatesIn({ table, partitionKey, rowKey, cells }: DumpedRow): Candidate[] {
  const found = new Set<string>();
  const add = (bytes: Buffer): void => {
    if (hasRightSize(bytes)) found.add(bytes.toString('base64url'));
  };
  for (const cell of Object.values(cells)) {
    if (cell instanceof Uint8Array) add(Buffer.from(cell));
    if (typeof cell !== 'string') continue;
    for (const [run] of cell.matchAll(BASE64_RUN)) add(Buffer.from(run, 'base64url'));
    for (const [run] of cell.matchAll(HEX_RUN)) add(Buffer.from(run, 'hex'));
  }
  return [...found].map((ciphertext) => ({ where: `${table} ${partitionKey} ${rowKey}`, ciphertext }));
}

/** Those that open with any version of the key. */
export async function opened(
  keyVault: RemoteControl,
  key: { readonly host: string; readonly name: string },
  candidates: readonly Candidate[],
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (let from = 0; from < candidates.length; from += PER_CALL) {
    const some = candidates.slice(from, from + PER_CALL);
    const answer = (await keyVault.call('POST', `/vaults/${key.host}/keys/${key.name}/try-unwrap`, {
      ciphertexts: some.map(({ ciphertext }) => ciphertext),
    })) as { readonly opened: readonly boolean[] };
    found.push(...some.filter((_, index) => answer.opened[index] === true));
  }
  return found;
}
