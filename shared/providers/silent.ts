// Providers as the workers of switches ask them: a key whose vault has just said nothing until its time-out is not asked again for some
// seconds, and then by one call at a time, until it answers. The others are told what that call was told, which may pass by itself and so is
// never a denial. What is remembered is of this process, by key, and expires by itself.
import { LRUCache } from 'lru-cache';
import { ExpiringCache } from '../domain/expiring-cache.ts';
import type { Failure } from '../domain/failure.ts';
import type { Clock } from '../domain/ports.ts';
import type { KeyTarget } from '../domain/provider.ts';
import { err, type Result } from '../domain/result.ts';
import type { KeyProvider } from './provider.ts';

/** An answer that took so long has cost its asker's slot; a quick one costs nothing and is not remembered. */
const SLOW_MS = 2_000;
/** So long others are told, and again while one call asks anew: longer than KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS is by default. */
const REMEMBERED_MS = 20_000;
const MAX_KEYS = 1_000;

export function silently(clock: Clock): (provider: KeyProvider) => KeyProvider {
  /** What callers are told instead of a call. */
  const told = new ExpiringCache<Failure>(clock, { ttlMs: REMEMBERED_MS, maxEntries: MAX_KEYS });
  /** What the last call met, until one is answered. */
  const silences = new LRUCache<string, Failure>({ max: MAX_KEYS });
  const ask = async <T>(target: KeyTarget, call: () => Promise<Result<T, Failure>>): Promise<Result<T, Failure>> => {
    // With key and tenant: what one company's connection meets says nothing of another's.
    const name = [target.host, target.keyName.toLowerCase(), target.tenantId].join('|');
    const toTell = told.peek(name);
    if (toTell) return err(toTell.value);
    const silence = silences.get(name);
    if (silence) told.keep(name, silence);
    const begunMs = clock.steadyMs();
    const answer = await call();
    const tookMs = clock.steadyMs() - begunMs;
    if (!answer.ok && answer.error.kind === 'transient' && tookMs >= SLOW_MS) {
      silences.set(name, answer.error);
      told.keep(name, answer.error);
    } else {
      silences.delete(name);
      told.forget(name);
    }
    return answer;
  };
  return (provider) => ({
    ...provider,
    read: (target, options) => ask(target, () => provider.read(target, options)),
    unwrap: (target, wrapped, options) => ask(target, () => provider.unwrap(target, wrapped, options)),
  });
}
