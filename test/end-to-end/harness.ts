// What a test file's run is made of: the programs that were built once for all files.
import { inject } from 'vitest';
import type { AppName } from './bundles.ts';
import { beginRun, type Run, type RunOptions } from './run.ts';

/** `app`: the product's own unless told. */
export function startRun(options: RunOptions & { readonly app?: AppName } = {}): Promise<Run> {
  const { app = 'product', ...others } = options;
  return beginRun({ bundleDir: inject('bundleDirs')[app], program: inject('hostProgram') }, others);
}

/** For `expect.poll`: a host's log lines come by another way than its answers, and may come after them. */
export const LOG_LIMIT = { timeout: 30_000 };
