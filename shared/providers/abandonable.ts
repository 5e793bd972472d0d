// A provider as one asks it who may stop waiting: then the call is ended, and the asker learns nothing, least of all that a vault does not answer.
import type { KeyProvider } from './provider.ts';

/** Calls reject with the signal's reason once it is aborted. */
export const abandonable =
  (signal: AbortSignal) =>
  (provider: KeyProvider): KeyProvider => ({
    ...provider,
    read: (target, options) => unlessAborted(signal, () => provider.read(target, { ...options, signal })),
    unwrap: (target, wrapped) => unlessAborted(signal, () => provider.unwrap(target, wrapped, { signal })),
  });

async function unlessAborted<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
