// What the settings allow operations and routes to do, and how long things may take, in the units that the code uses.
import type { ConnectionPolicy } from '../shared/providers/azure-key-vault/input/connection-input.ts';
import type { KeyPolicy } from '../shared/providers/azure-key-vault/key-fitness.ts';
import type { SignInDependencies } from '../shared/operations/sign-ins/step.ts';
import type { Policy } from '../shared/operations/world.ts';
import type { Settings } from '../shared/settings.ts';
import type { MetaServices } from './http/resources/meta/routes.ts';
import { API_PREFIX } from './http/kernel/route.ts';
import type { EdgeServices } from './http/kernel/serve.ts';

const MS_PER_HOUR = 3_600_000;

export interface AppPolicy
  extends
    Policy,
    Pick<EdgeServices, 'companyClaim' | 'confinedClaim' | 'mustBeConfined' | 'publicUrl' | 'vendorName'>,
    Pick<SignInDependencies, 'signInTimes'>,
    Pick<MetaServices, 'deployment'> {
  readonly keyPolicy: Pick<KeyPolicy, 'minRsaBits' | 'purgeable' | 'rotationDays'> & {
    /** A grant younger than this may not have arrived. */
    readonly propagationMs: number;
  };
  readonly connectionPolicy: ConnectionPolicy & { readonly sealVaultHost: string };
  /** Whether the vendor's own administrators may order switches. */
  readonly vendorMaySwitch: boolean;
  /** The API's own address, as messages to webhooks name it. */
  readonly apiUrl: string;
  /** The domains that webhooks may lead to; all if empty. */
  readonly webhookHosts: readonly string[];
  /** For one call to a vault, or to another service over the network. */
  readonly vaultCallTimeoutMs: number;
  /** How long a caller's request may wait for its turn. */
  readonly maxCallWaitMs: number;
  /** Data keys that a company may ask of one process; undefined: as many as it works on. */
  readonly keysPerSecond: number | undefined;
}

export function policyOf(settings: Settings): AppPolicy {
  const vaultCallTimeoutMs = settings.KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS * 1000;
  const authority = settings.KEYSWITCH_AUTHORITY_HOST.replace(/\/+$/, '');
  return {
    keyTtlMs: settings.KEYSWITCH_COMPANY_KEY_TTL_SECONDS * 1000,
    outageGraceMs: settings.KEYSWITCH_OUTAGE_GRACE_SECONDS * 1000,
    dataKeyCacheRows: settings.KEYSWITCH_DATA_KEY_CACHE_ROWS,
    companyClaim: settings.KEYSWITCH_API_COMPANY_CLAIM,
    confinedClaim: settings.KEYSWITCH_API_CONFINED_CLAIM,
    mustBeConfined: new Set(settings.KEYSWITCH_REQUIRE_CONFINED.filter((role) => role !== 'none')),
    deployment: {
      tokenUrl: `${authority}/${settings.KEYSWITCH_VENDOR_TENANT_ID}/oauth2/v2.0/token`,
      scope: `${settings.KEYSWITCH_API_AUDIENCE}/.default`,
      vaultSuffixes: settings.KEYSWITCH_VAULT_SUFFIXES,
    },
    publicUrl: settings.publicUrl,
    apiUrl: settings.publicUrl + API_PREFIX,
    webhookHosts: settings.KEYSWITCH_WEBHOOK_HOSTS ?? [],
    vendorName: settings.KEYSWITCH_VENDOR_NAME,
    connectionPolicy: {
      allowedSuffixes: settings.KEYSWITCH_VAULT_SUFFIXES,
      vendorVaultHost: settings.KEYSWITCH_VENDOR_VAULT_HOST,
      // With a vault of its own for the seal key, signatures that callers cause use up none of the calls that the KEK's vault answers.
      sealVaultHost: settings.KEYSWITCH_SEAL_VAULT_HOST ?? settings.KEYSWITCH_VENDOR_VAULT_HOST,
      connectorClientId: settings.KEYSWITCH_CONNECTOR_CLIENT_ID,
      identityClientId: settings.AZURE_CLIENT_ID,
      vendorTenantId: settings.KEYSWITCH_VENDOR_TENANT_ID,
    },
    keyPolicy: {
      minRsaBits: settings.KEYSWITCH_MIN_RSA_BITS,
      purgeable: settings.KEYSWITCH_PURGEABLE_KEYS,
      rotationDays: settings.KEYSWITCH_ROTATION_DAYS,
      propagationMs: settings.KEYSWITCH_PROPAGATION_SECONDS * 1000,
    },
    backOff: {
      firstMs: settings.KEYSWITCH_RETRY_FIRST_SECONDS * 1000,
      lastMs: settings.KEYSWITCH_RETRY_LAST_SECONDS * 1000,
    },
    shardCount: settings.KEYSWITCH_SHARD_COUNT,
    restoreDays: settings.KEYSWITCH_RESTORE_DAYS,
    verificationMs: settings.KEYSWITCH_VERIFICATION_HOURS * MS_PER_HOUR,
    exportAllowanceMs: settings.KEYSWITCH_EXPORT_HOURS * MS_PER_HOUR,
    messageBudgetMs: settings.KEYSWITCH_MESSAGE_BUDGET_SECONDS * 1000,
    vaultCallTimeoutMs,
    // Two company keys are opened at the end of a switch, and a little is lost between them.
    endLeaseMs: 2 * vaultCallTimeoutMs + 5_000,
    keepMs: settings.KEYSWITCH_KEEP_DAYS * 24 * MS_PER_HOUR,
    consentMs: settings.KEYSWITCH_CONSENT_HOURS * MS_PER_HOUR,
    vendorMaySwitch: settings.KEYSWITCH_VENDOR_MAY_SWITCH === 'yes',
    signInTimes: {
      linkMs: settings.KEYSWITCH_LINK_HOURS * MS_PER_HOUR,
      stepMs: settings.KEYSWITCH_SIGN_IN_MINUTES * 60_000,
    },
    stuckAfterMs: settings.KEYSWITCH_STUCK_AFTER_SECONDS * 1000,
    checkConcurrency: settings.KEYSWITCH_CHECK_CONCURRENCY,
    unusualKeys: settings.KEYSWITCH_UNUSUAL_KEYS,
    maxCallWaitMs: settings.KEYSWITCH_MAX_WAIT_SECONDS * 1000,
    keysPerSecond: settings.KEYSWITCH_COMPANY_KEYS_PER_SECOND,
  };
}
