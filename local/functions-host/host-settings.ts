// Reads host.json, with the defaults of the Functions host and its overrides from the environment
// (`AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls=1`).
import { parseTimeSpan } from './time-span.ts';

export interface HostSettings {
  readonly routePrefix: string;
  /** How long an invocation may take; Infinity when host.json says -1. */
  readonly functionTimeoutMs: number;
  readonly maxConcurrentCalls: number;
  readonly maxAutoLockRenewalMs: number;
  readonly autoCompleteMessages: boolean;
  readonly maxRequestBodyBytes: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const OVERRIDE_PREFIX = 'AzureFunctionsJobHost__';
const DEFAULT_MAX_REQUEST_BODY_BYTES = 104_857_600;

export function parseHostSettings(hostJson: string, environment: Environment): HostSettings {
  const settings = flatten(JSON.parse(hostJson));
  if (settings.get('version') !== '2.0') throw new Error('host.json must say "version": "2.0"');
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(OVERRIDE_PREFIX) || value === undefined) continue;
    settings.set(name.slice(OVERRIDE_PREFIX.length).replaceAll('__', '.').toLowerCase(), value);
  }
  const read = (name: string): string | undefined => settings.get(name.toLowerCase());
  const integer = (name: string, fallback: number): number => {
    const value = Number(read(name) ?? fallback);
    if (!Number.isInteger(value) || value < 1) throw new Error(`host.json: ${name} must be a positive whole number`);
    return value;
  };
  const duration = (name: string, fallback: string): number => {
    const text = read(name) ?? fallback;
    if (text === '-1') return Infinity;
    const ms = parseTimeSpan(text);
    if (ms === undefined) throw new Error(`host.json: ${name} must be a time span such as 00:05:00`);
    return ms;
  };
  return {
    routePrefix: (read('extensions.http.routePrefix') ?? 'api').replace(/^\/|\/$/g, ''),
    functionTimeoutMs: duration('functionTimeout', '00:30:00'),
    maxConcurrentCalls: integer('extensions.serviceBus.maxConcurrentCalls', 16),
    maxAutoLockRenewalMs: duration('extensions.serviceBus.maxAutoLockRenewalDuration', '00:05:00'),
    autoCompleteMessages: (read('extensions.serviceBus.autoCompleteMessages') ?? 'true').toLowerCase() === 'true',
    maxRequestBodyBytes: Number(environment['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? DEFAULT_MAX_REQUEST_BODY_BYTES),
  };
}

/** Every leaf of a JSON value by its dotted path in lower case: the host's settings do not mind case. */
function flatten(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, into);
  } else {
    into.set(path.toLowerCase(), String(value));
  }
  return into;
}
