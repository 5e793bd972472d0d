// A measurement in a process of its own: nothing that another measurement left behind in heap or caches is in it.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the module prints, as JSON, when it is run with these arguments; `flags` are Node's own. */
export async function inFreshProcess(
  module: URL,
  options: { readonly flags: readonly string[]; readonly args: readonly string[] },
): Promise<unknown> {
  const { stdout } = await run(process.execPath, [...options.flags, module.pathname, ...options.args]);
  return JSON.parse(stdout) as unknown;
}

/** The most memory that this process ever had resident, in MB (2^20 bytes). Linux only: elsewhere nothing says it exactly. */
export function peakMemoryMb(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error('the system does not tell VmHWM');
  return Number(kilobytes) / 1024;
}
