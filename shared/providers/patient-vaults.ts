// Key vaults whose denials right after a grant are told as "not arrived yet": whoever uses a vault then waits instead of giving up,
// and nobody calls a vault revoked because its cloud is still passing the word (invariant A18).
import type { Failure } from '../domain/failure.ts';
import type { ExcuseRecentGrant } from '../domain/propagation.ts';
import type { VaultKey, VaultTarget } from '../domain/provider.ts';
import { err, type Result } from '../domain/result.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyVaults } from './provider.ts';

export class PatientVaults implements KeyVaults {
  readonly #vaults: KeyVaults;
  readonly #clock: Clock;
  readonly #propagationMs: number;
  readonly #excuse: ExcuseRecentGrant;

  constructor(
    vaults: KeyVaults,
    options: { readonly clock: Clock; readonly propagationMs: number; readonly excuse: ExcuseRecentGrant },
  ) {
    this.#vaults = vaults;
    this.#clock = options.clock;
    this.#propagationMs = options.propagationMs;
    this.#excuse = options.excuse;
  }

  async readKey(target: VaultTarget, version?: string): Promise<Result<VaultKey, Failure>> {
    return this.#excused(target, await this.#vaults.readKey(target, version));
  }

  async unwrap(
    target: VaultTarget,
    wrapped: { readonly keyId: string; readonly ciphertext: string },
  ): Promise<Result<Uint8Array, Failure>> {
    return this.#excused(target, await this.#vaults.unwrap(target, wrapped));
  }

  #excused<T>(target: VaultTarget, answer: Result<T, Failure>): Result<T, Failure> {
    if (answer.ok) return answer;
    const facts = { grant: target, now: this.#clock.now(), propagationMs: this.#propagationMs };
    return err(this.#excuse(answer.error, facts));
  }
}
