// What a command answers: for people one fact a line, for scripts one JSON object. Nothing else goes to stdout.

/** Facts in the order in which they are told; the names are camelCase in JSON, as in the API. */
export type Facts = Readonly<Record<string, string | number>>;

export function inLines(facts: Facts): string {
  const named = Object.entries(facts).map(([name, value]) => [inWords(name), String(value)] as const);
  const width = Math.max(...named.map(([name]) => name.length));
  return named.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

export const inJson = (facts: Facts): string => `${JSON.stringify(facts)}\n`;

/** publicKeySha256 -> Public key SHA256 */
function inWords(name: string): string {
  const words = name.replaceAll(/[A-Z]+/g, (capitals) => ` ${capitals.toLowerCase()}`);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`.replace(/\bsha/, 'SHA-').replace(/\bid\b/, 'id');
}
