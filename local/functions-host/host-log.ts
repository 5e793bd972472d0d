// Writes the host's log lines to standard output: time, level, category, message. The app's own lines pass unchanged.
import type { LogLevel } from './core-types.ts';

export type HostLog = (level: LogLevel, category: string, message: string) => void;

export const hostLog: HostLog = (level, category, message) => {
  process.stdout.write(`[${new Date().toISOString()}] [${level}] ${category}: ${message}\n`);
};

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
