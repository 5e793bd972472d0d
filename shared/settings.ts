// The environment, parsed once into Settings. Lists everything that is wrong at once, and then the app refuses to start.
// local.settings.sample.json holds exactly these names; a test compares the two.
import * as z from 'zod';
import { DEFAULT_SHARD_COUNT } from './domain/keyring.ts';
import { parseNcrontab } from './domain/ncrontab.ts';
import { parsePublicUrl } from './domain/public-url.ts';
import { visibleTextFault } from './domain/visible-text.ts';

const seconds = (fallback: number): z.ZodType<number> => z.coerce.number().positive().max(86_400).default(fallback);
const whole = (fallback: number, max: number): z.ZodType<number> =>
  z.coerce.number().int().min(1).max(max).default(fallback);
const guid = z.guid().toLowerCase();
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a lower-case host name');
const vaultKeyName = z.string().regex(/^[0-9A-Za-z-]{1,127}$/, 'must be 1 to 127 letters, digits and dashes');
/** Service Bus's rules, but without the slash; and without `%`, which the Functions host would expand. */
const queueName = z
  .string()
  .max(260)
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'must be letters, digits, dots, dashes and underscores, and begin and end with a letter or digit',
  );
const CONFINABLE = ['none', 'VendorAdmin', 'DataKeys', 'Auditor'] as const;
const isConfinable = (name: string): name is (typeof CONFINABLE)[number] =>
  CONFINABLE.some((confinable) => confinable === name);
/** Six fields that fire some day. With an invalid one the host would disable that function and run the others. */
const schedule = z
  .string()
  .refine(isSchedule, 'must be NCRONTAB with six fields: second minute hour day month weekday');

function isSchedule(text: string): boolean {
  try {
    parseNcrontab(text).next(new Date(0));
    return true;
  } catch {
    return false;
  }
}

const environment = z.object({
  /** Client id of the user-assigned managed identity that the app runs as. */
  AZURE_CLIENT_ID: guid,
  KEYSWITCH_TABLES_ENDPOINT: z.url({ protocol: /^https$/ }),
  /** Read by the Functions host too, for the triggers' connection `KEYSWITCH_SERVICE_BUS`. */
  KEYSWITCH_SERVICE_BUS__fullyQualifiedNamespace: hostName,
  KEYSWITCH_WORK_QUEUE: queueName.default('keyswitch-work'),
  /** Of the checks of customers' vaults: a queue of its own, so that neither work waits for the other. */
  KEYSWITCH_CHECKS_QUEUE: queueName.default('keyswitch-checks'),
  /** The origin under which callers and browsers reach this app: for links, and to recognise its own pages. Default: Azure's WEBSITE_HOSTNAME. */
  KEYSWITCH_PUBLIC_URL: z.string().optional(),
  /** The vendor's name on pages for its customers' administrators. */
  KEYSWITCH_VENDOR_NAME: z
    .string()
    .min(1)
    .max(100)
    .refine((text) => visibleTextFault(text) === undefined, 'must be text that can be seen'),
  /** The vendor's own vault: the KEK of the `managed` provider. */
  KEYSWITCH_VENDOR_VAULT_HOST: hostName,
  KEYSWITCH_VENDOR_KEY_NAME: vaultKeyName.default('keyswitch-kek'),
  /** The vault of the seal key, in the vendor's tenant. Default: the vault above. */
  KEYSWITCH_SEAL_VAULT_HOST: hostName.optional(),
  KEYSWITCH_SEAL_KEY_NAME: vaultKeyName.default('keyswitch-seal'),
  /** The vendor's Entra tenant: home of both app registrations, the identity and the vendor's vault. */
  KEYSWITCH_VENDOR_TENANT_ID: guid,
  /** The multitenant app that reaches customer vaults. */
  KEYSWITCH_CONNECTOR_CLIENT_ID: guid,
  /** The single-tenant app that is the audience of callers' tokens. */
  KEYSWITCH_API_AUDIENCE: z.string().min(1),
  /** The claim that names the company of a CompanyAdmin. */
  KEYSWITCH_API_COMPANY_CLAIM: z.string().min(1).default('extension_company'),
  /** The claim that names the companies and keyrings that a token is confined to, whatever its roles. */
  KEYSWITCH_API_CONFINED_CLAIM: z.string().min(1).default('extension_companies'),
  /** Roles, separated by commas, with which only confined tokens are taken; or `none`. */
  KEYSWITCH_REQUIRE_CONFINED: list
    .refine((names) => names.length > 0 && names.every(isConfinable), `must be of ${CONFINABLE.join(', ')}`)
    .transform((names) => names.filter(isConfinable))
    .default(['none']),
  /** A second token issuer, all three or none: issuer, audience and JWKS address. */
  KEYSWITCH_SECOND_ISSUER: z.url({ protocol: /^https$/ }).optional(),
  KEYSWITCH_SECOND_AUDIENCE: z.string().min(1).optional(),
  KEYSWITCH_SECOND_JWKS_URI: z.url({ protocol: /^https$/ }).optional(),
  KEYSWITCH_AUTHORITY_HOST: z.url({ protocol: /^https$/ }).default('https://login.microsoftonline.com'),
  /** The audience of the managed identity's token with which the connector app signs in at Entra. Default: that of the authority's cloud. */
  KEYSWITCH_TOKEN_EXCHANGE_AUDIENCE: z
    .string()
    .max(256)
    .regex(/^api:\/\/[\w.-]+$/, 'must be an audience as api://AzureADTokenExchange, without /.default')
    .optional(),
  /** The vendor's OAuth client at Google, for verifying Workspace tenants: both or none. The secret is a Key Vault reference. */
  KEYSWITCH_GOOGLE_CLIENT_ID: z.string().min(1).max(256).optional(),
  KEYSWITCH_GOOGLE_CLIENT_SECRET: z.string().min(1).max(256).optional(),
  /** How long a consent is valid for a set-up that is not finished; then it must be granted again. */
  KEYSWITCH_CONSENT_HOURS: whole(24, 720),
  /** How long a link to a sign-in can be opened, and how long each step of the sign-in may take. */
  KEYSWITCH_LINK_HOURS: whole(24, 720),
  KEYSWITCH_SIGN_IN_MINUTES: whole(10, 60),
  /** Comma-separated: `vault.azure.net`; sovereign clouds have others. */
  KEYSWITCH_VAULT_SUFFIXES: list.default(['vault.azure.net']),
  KEYSWITCH_MIN_RSA_BITS: z.coerce
    .number()
    .pipe(z.union([z.literal(2048), z.literal(3072), z.literal(4096)]))
    .default(2048),
  /** `warn` or `refuse` keys of a vault without purge protection. */
  KEYSWITCH_PURGEABLE_KEYS: z.enum(['warn', 'refuse']).default('warn'),
  /**
   * How old a version of a vault key may become: its rotation is warned of 30, 7 and 1 days before. Microsoft advises two years. 0: never. Where a
   * version expires before, its expiry is warned of instead.
   */
  KEYSWITCH_ROTATION_DAYS: z.coerce.number().int().min(0).max(3650).default(730),
  /** The promised revocation time: how long an unwrapped company key, and a token for a customer's vault, may be used. */
  KEYSWITCH_COMPANY_KEY_TTL_SECONDS: seconds(300),
  /**
   * For so long after that, a company key that this process had serves on while its vault cannot be reached, and no process has seen it deny; 0: not at
   * all.
   */
  KEYSWITCH_OUTAGE_GRACE_SECONDS: z.coerce.number().min(0).max(86_400).default(1_800),
  /**
   * How many wrapped data-key rows a process keeps, for at most the same time, some 600 bytes each; 0 keeps none. Until then, other processes may still
   * open a deleted key.
   */
  KEYSWITCH_DATA_KEY_CACHE_ROWS: z.coerce.number().int().min(0).max(100_000).default(10_000),
  KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: seconds(10),
  /** How long a call for data keys waits for its turn; then it is answered 503 `overloaded` with Retry-After. */
  KEYSWITCH_MAX_WAIT_SECONDS: z.coerce.number().min(0.1).max(60).default(2),
  /**
   * How many data keys a second a company may ask of each instance, ten seconds' worth (at least 1,000) at once; beyond that 429. Not set: as many as there
   * is room for.
   */
  KEYSWITCH_COMPANY_KEYS_PER_SECOND: z.coerce.number().positive().max(1_000_000).optional(),
  KEYSWITCH_RESTORE_DAYS: whole(30, 365),
  /**
   * How long a switch keeps the company key that it leaves behind, under the one that stays: at least as long as you keep copies of the tables, plus the
   * time that it takes to make one.
   */
  KEYSWITCH_KEEP_DAYS: whole(35, 3650),
  /** How old a tenant administrator's approval may be when a switch begins its work, or at an export. */
  KEYSWITCH_VERIFICATION_HOURS: whole(24, 720),
  /** `yes`: a switch ordered by the vendor needs no confirmation by an admin of the company. Each such order is recorded. */
  KEYSWITCH_VENDOR_MAY_SWITCH: z.enum(['no', 'yes']).default('no'),
  /** For how long after a switch the company key can be exported once without new approvals by the tenants. */
  KEYSWITCH_EXPORT_HOURS: whole(24, 168),
  /** How long one message works before it hands over to its continuation. */
  KEYSWITCH_MESSAGE_BUDGET_SECONDS: seconds(60),
  /** The timer resumes a switch whose shards have not moved for this long. */
  KEYSWITCH_STUCK_AFTER_SECONDS: seconds(120),
  /** Back-off of failures that may pass: doubles from the first to the last. */
  KEYSWITCH_RETRY_FIRST_SECONDS: seconds(1),
  KEYSWITCH_RETRY_LAST_SECONDS: seconds(300),
  /** A grant younger than this may not have arrived; Azure says up to ten minutes. */
  KEYSWITCH_PROPAGATION_SECONDS: seconds(600),
  KEYSWITCH_SHARD_COUNT: whole(DEFAULT_SHARD_COUNT, 256),
  /** NCRONTAB with seconds. */
  KEYSWITCH_SWEEP_SCHEDULE: schedule.default('0 * * * * *'),
  KEYSWITCH_CHECK_SCHEDULE: schedule.default('30 * * * * *'),
  /** When the heads of chains of events are signed. */
  KEYSWITCH_AUDIT_SCHEDULE: schedule.default('0 7 * * * *'),
  /** When webhooks are told of events, and of those that they did not take. */
  KEYSWITCH_NOTIFY_SCHEDULE: schedule.default('*/10 * * * * *'),
  /** Comma-separated domains that webhooks may lead to, with all below them; without it, any public host. */
  KEYSWITCH_WEBHOOK_HOSTS: list
    .refine((names) => names.every((name) => hostName.safeParse(name).success), 'must be lower-case host names')
    .optional(),
  /** Checks of customers' vaults that a process has in flight; half of the places are for vaults that do not answer. */
  KEYSWITCH_CHECK_CONCURRENCY: whole(256, 1000),
  /** Up to so many data keys unwrapped in an hour are unusual for no company. */
  KEYSWITCH_UNUSUAL_KEYS: whole(10_000, 1_000_000_000),
});

/** Settings that must be given together. */
const TOGETHER = [
  ['KEYSWITCH_SECOND_ISSUER', 'KEYSWITCH_SECOND_AUDIENCE', 'KEYSWITCH_SECOND_JWKS_URI'],
  ['KEYSWITCH_GOOGLE_CLIENT_ID', 'KEYSWITCH_GOOGLE_CLIENT_SECRET'],
];

export interface Settings extends Readonly<Omit<z.infer<typeof environment>, 'KEYSWITCH_PUBLIC_URL'>> {
  /** An origin, without a slash at its end. */
  readonly publicUrl: string;
}

/**
 * Its stack is its message: the worker writes it to standard error, where the host takes a line for an error only if it contains `error`
 * (azure-functions-host, WorkerProcess.ParseErrorMessageAndLog), or `warn` for a warning.
 */
class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings';

  constructor(wrong: readonly string[]) {
    super(['the settings are not usable (error at load):', ...wrong.map((line) => `  error: ${line}`)].join('\n'));
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** The names that this app reads from its environment. */
export const SETTING_NAMES: readonly string[] = Object.keys(environment.shape);

/** Throws InvalidSettings with one line for each problem, never with a value. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = environment.safeParse(env);
  const noValues = SETTING_NAMES.filter((name) => whyNoValue(env[name]) !== undefined);
  const wrong = noValues.map((name) => `${name}: ${whyNoValue(env[name]) ?? ''}`);
  for (const { path, message } of parsed.success ? [] : parsed.error.issues) {
    const name = path.join('.');
    if (!noValues.includes(name)) wrong.push(`${name}: ${message}`);
  }
  const publicUrl = publicUrlIn(env);
  if (publicUrl.wrong !== undefined && !noValues.includes('KEYSWITCH_PUBLIC_URL')) wrong.push(publicUrl.wrong);
  for (const names of TOGETHER) {
    const set = names.filter((name) => env[name] !== undefined);
    if (set.length > 0 && set.length < names.length) wrong.push(`${names.join(', ')}: set all of them or none`);
  }
  if (wrong.length > 0 || !parsed.success) {
    throw new InvalidSettings(wrong);
  }
  return { ...parsed.data, publicUrl: publicUrl.origin };
}

/** Why a variable has no value: it is empty, as from a template's default, or Azure left in it a reference that it could not resolve. */
function whyNoValue(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === '') return 'is set, but empty: give it a value or leave it away';
  const kind = /^\s*@Microsoft\.(KeyVault|AppConfiguration)\(/i.exec(value)?.[1];
  if (kind === undefined) return undefined;
  const service = kind.toLowerCase() === 'keyvault' ? 'Key Vault' : 'App Configuration';
  return `is a reference to ${service} that Azure could not resolve: see that keyVaultReferenceIdentity names an identity that may read it`;
}

/** WEBSITE_HOSTNAME is Azure's own (`app.azurewebsites.net`), so it is not among the names above. */
function publicUrlIn(env: Readonly<Record<string, string | undefined>>): {
  readonly origin: string;
  readonly wrong?: string;
} {
  const { KEYSWITCH_PUBLIC_URL: url, WEBSITE_HOSTNAME: hostName } = env;
  const text = url ?? (hostName === undefined ? undefined : `https://${hostName}`);
  const name = url === undefined ? 'WEBSITE_HOSTNAME' : 'KEYSWITCH_PUBLIC_URL';
  if (text === undefined)
    return { origin: '', wrong: 'KEYSWITCH_PUBLIC_URL: set it, or WEBSITE_HOSTNAME as Azure does' };
  const origin = parsePublicUrl(text);
  if (origin !== undefined) return { origin };
  return {
    origin: '',
    wrong: `${name}: must be https and a host without a path, or http://127.0.0.1 or http://localhost`,
  };
}
