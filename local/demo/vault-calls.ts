// What a vault was asked, from the emulator's own request log, and what it may be asked by design/3. Pure.
import type { RequestRecord } from '../control/control.ts';

export interface VaultCalls {
  readonly get: number;
  readonly unwrapKey: number;
  readonly wrapKey: number;
  readonly sign: number;
  /** First calls without a token, by which a client learns the vault's tenant. */
  readonly challenges: number;
  readonly refused: number;
  /** Of any other kind. */
  readonly others: number;
}

interface Asked {
  readonly host: string;
  /** Left out: all keys of the vault, and the challenges, which name none. */
  readonly key?: string;
  readonly until?: Date;
}

export function vaultCalls(records: readonly RequestRecord[], { host, key, until }: Asked): VaultCalls {
  const mine = records.filter(
    ({ target, at }) =>
      (key === undefined ? target.startsWith(`${host}/`) : target === `${host}/${key}`) &&
      (until === undefined || new Date(at) <= until),
  );
  const of = (operation: string): number => mine.filter((record) => record.operation === operation).length;
  const known = { get: of('get'), unwrapKey: of('unwrapkey'), wrapKey: of('wrapkey'), sign: of('sign') };
  const challenges = of('challenge');
  return {
    ...known,
    challenges,
    refused: mine.filter(({ status, operation }) => operation !== 'challenge' && status !== 200).length,
    others: mine.length - challenges - Object.values(known).reduce((sum, calls) => sum + calls, 0),
  };
}

/** What a switch may ask of one vault: 6, and 3 per host process and cache lifetime (one generation), whatever the keys. */
export function switchCallLimit(input: { readonly hostProcesses: number; readonly lifetimes: number }): number {
  return 6 + 3 * input.hostProcesses * input.lifetimes;
}

/** In how many lifetimes of a cache entry a stretch of time may fall. */
export const lifetimesIn = (elapsedMs: number, lifetimeMs: number): number => Math.floor(elapsedMs / lifetimeMs) + 1;
