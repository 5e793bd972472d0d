// A test file's run: of the programs that were built once for all files, and with short settings, so that what takes minutes in Azure takes
// seconds here.
import { inject } from 'vitest';
import type { AppName } from './bundles.ts';
import { beginRun, type Run, type RunOptions } from './run.ts';

const SHORT_SETTINGS = {
  KEYSWITCH_SHARD_COUNT: '4',
  KEYSWITCH_MESSAGE_BUDGET_SECONDS: '2',
  KEYSWITCH_STUCK_AFTER_SECONDS: '3',
  KEYSWITCH_RETRY_FIRST_SECONDS: '0.2',
  KEYSWITCH_RETRY_LAST_SECONDS: '1',
  KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '2',
  // An outage is to be felt.
  KEYSWITCH_OUTAGE_GRACE_SECONDS: '0',
  // What is stored is what is answered from: rows are tampered with, deleted at one host and asked for at another.
  KEYSWITCH_DATA_KEY_CACHE_ROWS: '0',
  KEYSWITCH_SWEEP_SCHEDULE: '*/2 * * * * *',
  // Never: a test asks for a check when it wants one.
  KEYSWITCH_CHECK_SCHEDULE: '0 0 0 29 2 *',
};
/** As in Azure, more or less: no machine is so slow that a lock runs out. Whoever has hosts die shortens it. */
const LOCK_DURATION_MS = 30_000;
/** For runs in which the work of the dead must come back. */
export const SHORT_LOCKS = { lockDurationMs: 2_000 };

/** `app`: the product's own unless told. */
export function startRun(options: RunOptions & { readonly app?: AppName } = {}): Promise<Run> {
  const { app = 'product', settings, ...others } = options;
  const built = { bundleDir: inject('bundleDirs')[app], program: inject('hostProgram') };
  return beginRun(built, { lockDurationMs: LOCK_DURATION_MS, ...others, settings: { ...SHORT_SETTINGS, ...settings } });
}

/** For `expect.poll`: a host's log lines come by another way than its answers, and may come after them. */
export const LOG_LIMIT = { timeout: 30_000 };
