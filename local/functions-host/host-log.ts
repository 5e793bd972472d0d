// Writes the host's log lines to standard output: time, level, category, message. The app's own lines pass unchanged.
import type { LogLevel } from './core-types.ts';

export type HostLog = (level: LogLevel, category: string, message: string) => void;

export const hostLog: HostLog = (level, category, message) => {
  process.stdout.write(`[${new Date().toISOString()}] [${level}] ${category}: ${message}\n`);
};

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A line that the app wrote to standard error, at the level that the host reads out of it (WorkerProcess.ParseErrorMessageAndLog). */
export function logStandardError(log: HostLog, text: string): void {
  for (const line of text.split('\n')) {
    const level = /warn/i.test(line)
      ? 'warning'
      : /error|fail|severe|unhandled exception/i.test(line)
        ? 'error'
        : 'information';
    log(level, 'Host.Function.Console', line);
  }
}
