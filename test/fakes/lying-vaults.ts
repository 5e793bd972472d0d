// Vaults that answer in due form, and not the truth.
import { COMPANY_KEY_BYTES } from '../../shared/domain/company-key.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { ok, type Result } from '../../shared/domain/result.ts';
import type { KeyVaults } from '../../shared/providers/azure-key-vault/vaults.ts';

/** What is answered instead of what was wrapped; `others` are true answers to other calls. Each differs from the truth. */
type Lie = (truth: Uint8Array, others: readonly Uint8Array[]) => Uint8Array;

const CHOSEN = 0x66;

export const LIES: Readonly<Record<string, Lie>> = {
  'a key of its choice': (truth) => truth.map((byte, at) => (at < COMPANY_KEY_BYTES ? CHOSEN : byte)),
  'one bit changed': (truth) => truth.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
  'a part of it': (truth) => truth.slice(0, -1),
  nothing: () => new Uint8Array(0),
  'more than it': (truth) => Buffer.concat([truth, Buffer.alloc(truth.length, CHOSEN)]),
  'the answer to another call': (truth, others) =>
    others.findLast((other) => !Buffer.from(other).equals(truth)) ?? Buffer.alloc(truth.length, CHOSEN),
};

/** From now on this vault answers each `unwrap` so. Answers how it comes to tell the truth again. */
export function lie(vaults: Pick<KeyVaults, 'unwrap'>, host: string, how: Lie): () => void {
  const { unwrap } = vaults;
  const others: Uint8Array[] = [];
  vaults.unwrap = async (target, wrapped): Promise<Result<Uint8Array, Failure>> => {
    const truth = await unwrap.call(vaults, target, wrapped);
    if (!truth.ok) return truth;
    const answer = target.host === host ? ok(how(Uint8Array.from(truth.value), others)) : truth;
    others.push(Uint8Array.from(truth.value));
    return answer;
  };
  return () => {
    vaults.unwrap = unwrap;
  };
}
