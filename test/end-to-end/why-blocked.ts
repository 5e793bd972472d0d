// Why a switch is blocked that nobody had reason to block, for whoever has to find out. Judges nothing.
import type { Run } from './run.ts';

/** Everything that says how it came to be. */
export async function whyBlocked(run: Run, blocked: object): Promise<string> {
  const counts: Record<string, number> = {};
  for (const { operation, status } of await run.environment.serviceBus.requests()) {
    counts[`${operation} ${status}`] = (counts[`${operation} ${status}`] ?? 0) + 1;
  }
  const failed = run.lines.filter((line) => /\[(error|critical)\]|Failed\./.test(line)).slice(-10);
  return ['blocked, though only hosts were killed', JSON.stringify(blocked), JSON.stringify(counts), ...failed].join(
    '\n',
  );
}
