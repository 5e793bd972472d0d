// A provider that reports denials right after a grant as "not arrived yet": then callers wait instead of giving up, and a key is not called revoked
// while Azure is still passing the grant on (invariant A18).
import type { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyTarget } from '../domain/provider.ts';
import { err, type Result } from '../domain/result.ts';
import type { KeyProvider } from './provider.ts';

export function patient(
  provider: KeyProvider,
  { clock, propagationMs }: { readonly clock: Clock; readonly propagationMs: number },
): KeyProvider {
  const excused = <T>(target: KeyTarget, answer: Result<T, Failure>): Result<T, Failure> =>
    answer.ok ? answer : err(provider.excuse(answer.error, { grant: target, now: clock.now(), propagationMs }));
  return {
    ...provider,
    read: async (target, options) => excused(target, await provider.read(target, options)),
    wrap: async (target, key, companyKey) => excused(target, await provider.wrap(target, key, companyKey)),
    unwrap: async (target, wrapped, options) => excused(target, await provider.unwrap(target, wrapped, options)),
  };
}
