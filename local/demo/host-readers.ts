// The product at work at each host by itself: what one process has in memory must not hide what another has not.
import { ApiClient } from './api-client.ts';
import type { Demo } from './demo.ts';
import type { KeyBook } from './key-book.ts';
import { startReader, type ReaderReport } from './reader.ts';
import { number } from './words.ts';

const PAUSE_MS = 25;
const KEYS_PER_CALL = 5;

export interface HostReaders {
  /** In the order of the hosts. */
  readonly reports: readonly ReaderReport[];
  /** Resolves when each host has answered its last call. */
  stop(): Promise<void>;
}

export function startHostReaders({ api, dataKeys }: Demo, book: KeyBook): HostReaders {
  const readers = api.urls.map((url) =>
    startReader({ ...dataKeys, api: new ApiClient([url]) }, book, { pauseMs: PAUSE_MS, keysPerCall: KEYS_PER_CALL }),
  );
  return {
    get reports() {
      return readers.map(({ report }) => report);
    },
    stop: async () => {
      await Promise.all(readers.map((reader) => reader.stop()));
    },
  };
}

export const sum = (reports: readonly ReaderReport[], what: 'unwraps' | 'errors'): number =>
  reports.reduce((all, report) => all + report[what], 0);

export const slowestMs = (reports: readonly ReaderReport[]): number => Math.max(...reports.map((one) => one.slowestMs));

/** `1,200 unwrapped, 0 errors`. */
export const readSoFar = (reports: readonly ReaderReport[]): string =>
  `${number(sum(reports, 'unwraps'))} unwrapped, ${number(sum(reports, 'errors'))} errors`;

export const firstErrors = (reports: readonly ReaderReport[]): string =>
  reports.flatMap(({ descriptions }) => descriptions.slice(0, 1)).join('; ');
