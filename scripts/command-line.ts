// What was typed behind a command. Whatever cannot be done is told in one sentence that names the option and what it takes. Pure, but for
// `fromCommandLine`, with which a command begins.
import { parseArgs } from 'node:util';

export interface OptionRule {
  /** What the sentence says behind "takes"; left out for an option without a value. */
  readonly takes?: string;
  readonly accepts?: (value: string) => boolean;
}

interface Command<N extends string> {
  readonly options: Readonly<Record<N, OptionRule>>;
  /** What stands there without an option; nothing may, if left out. */
  readonly words?: { readonly takes: string; readonly min: number; readonly max: number };
  /** What was typed may be a secret in the wrong place: it is not repeated. */
  readonly isSecret?: true;
}

export interface CommandLine<N extends string> {
  has(option: N): boolean;
  /** The last one counts. */
  value(option: N): string | undefined;
  /** All of them, for an option that may be given more than once. */
  values(option: N): readonly string[];
  readonly words: readonly string[];
}

/** One sentence for whoever typed. */
export class UsageError extends Error {}

const USAGE_ERROR = 2;

/** `help` if that was asked for. Throws UsageError. */
export function readCommandLine<N extends string>(
  args: readonly string[],
  command: Command<N>,
): CommandLine<N> | 'help' {
  const rules = new Map<string, OptionRule>(Object.entries(command.options));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      [...rules].map(([name, { takes }]) => [name, { type: takes === undefined ? 'boolean' : 'string' }]),
    ),
  });
  const isAskedFor = (name: string): boolean =>
    tokens.some((token) => token.kind === 'option' && token.rawName === name);
  if (isAskedFor('--help') || isAskedFor('-h')) return 'help';
  const given = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const rule = token.rawName.startsWith('--') ? rules.get(token.name) : undefined;
    if (!rule) throw new UsageError(unknownOption(token.rawName, token.index, command));
    const values = given.get(token.name) ?? [];
    given.set(token.name, [...values, valueOf(token, rule)]);
  }
  checkWords(words, command);
  return {
    has: (option) => given.has(option),
    value: (option) => given.get(option)?.at(-1),
    values: (option) => given.get(option) ?? [],
    words,
  };
}

/** A rule for a whole number within bounds, both of them included. */
export function wholeNumber(min: number, max: number): OptionRule & { readonly takes: string } {
  return {
    takes: `a whole number from ${min} to ${max}`,
    accepts: (text) => /^[0-9]{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max,
  };
}

/** npm runs commands in the project; paths are meant from where they were typed. */
function goWhereTyped(name: string): void {
  const { npm_lifecycle_event: command, INIT_CWD: folder } = process.env;
  if (command !== undefined && folder !== undefined && name.split(' ').includes(command)) process.chdir(folder);
}

/** What `read` makes of the command line. Prints the usage and ends with 0 if that was asked for; one sentence and 2 if it cannot be done. */
export function fromCommandLine<T extends object>(
  { name, usage, takesPaths }: { readonly name: string; readonly usage: string; readonly takesPaths?: true },
  read: (args: readonly string[]) => T | 'help',
): T {
  if (takesPaths) goWhereTyped(name);
  try {
    const found = read(process.argv.slice(2));
    if (found !== 'help') return found;
    process.stdout.write(usage);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}: see ${name} --help\n`);
    process.exit(USAGE_ERROR);
  }
  process.exit();
}

function valueOf(
  token: { readonly name: string; readonly value?: string | undefined; readonly inlineValue?: boolean | undefined },
  rule: OptionRule,
): string {
  const { name, value, inlineValue } = token;
  if (rule.takes === undefined) {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return '';
  }
  const isMissing = value === undefined || value === '' || (inlineValue !== true && /^-./.test(value));
  if (isMissing || rule.accepts?.(value) === false) throw new UsageError(`--${name} takes ${rule.takes}`);
  return value;
}

function unknownOption(rawName: string, index: number, { options, isSecret }: Command<string>): string {
  const known = ['help', ...Object.keys(options)].map((name) => `--${name}`).join(', ');
  const isPlain = /^--[a-z][a-z-]{0,30}$/.test(rawName);
  const what = isSecret && !isPlain ? `argument ${index + 1} is no option here` : `there is no option ${rawName}`;
  return `${what}, only ${known}`;
}

function checkWords(words: readonly string[], { words: rule, isSecret }: Command<string>): void {
  const [first] = words;
  if (!rule) {
    if (first === undefined) return;
    throw new UsageError(
      isSecret
        ? 'what stands there without an option is not understood'
        : `'${first}' is no option, and nothing else is taken`,
    );
  }
  if (words.length < rule.min || words.length > rule.max) throw new UsageError(`give ${rule.takes}`);
}
