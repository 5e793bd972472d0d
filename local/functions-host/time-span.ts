// .NET time spans as host.json and timer schedules write them: `[d.]hh:mm:ss[.fff]`.
const PATTERN =
  /^(?:(?<days>\d+)\.)?(?<hours>\d{1,2}):(?<minutes>\d{1,2})(?::(?<seconds>\d{1,2})(?<fraction>\.\d{1,7})?)?$/;

/** Milliseconds, or `undefined` when the text is no time span. */
export function parseTimeSpan(text: string): number | undefined {
  const parts = PATTERN.exec(text)?.groups;
  if (!parts) return undefined;
  const part = (name: string): number => Number(parts[name] ?? 0);
  const minutes = (part('days') * 24 + part('hours')) * 60 + part('minutes');
  return minutes * 60_000 + part('seconds') * 1_000 + Math.round(part('fraction') * 1_000);
}
