// What is typed of a connection, judged before anything is sent anywhere. Pure.
import { failure, withFacts } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { isGuid } from '../../../domain/ids.ts';
import type { ConnectionInput } from '../../provider.ts';
import type { WayIn } from './own-app.ts';
import { wayIn, type WaysIn } from './way-in.ts';
import { parseKeyName } from './key-name.ts';
import { meantAddress } from './meant-address.ts';
import { decoded, oddCharacter, unescaped } from './pasted-text.ts';
import { inPlainCharacters } from '../../../domain/plain-characters.ts';
import type { Refusal } from '../../../domain/refusal.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { parseVaultUri } from './vault-uri.ts';

/** Which vaults may be a customer's. */
interface VaultPolicy {
  readonly allowedSuffixes: readonly string[];
  /** The vendor's own vault is never a customer's. */
  readonly vendorVaultHost: string;
  /** Nor is that of the seal key, if it is another. */
  readonly sealVaultHost?: string;
}

export interface ConnectionPolicy extends VaultPolicy, WaysIn {}

export interface WantedVault extends WayIn {
  readonly host: string;
  readonly keyName: string;
  readonly tenantId?: string;
}

export function parseConnectionInput(input: ConnectionInput, policy: ConnectionPolicy): Result<WantedVault, Refusal> {
  const [typedUri, typedName] = [textOf(input['vaultUri']), textOf(input['keyName'])];
  const host = parseCustomerVault(typedUri, policy);
  const keyName = parseKeyName(typedName);
  if (!host.ok) {
    // Both may stand in the other field.
    const isOffered = host.error.facts.suggestedVaultUri !== undefined;
    const found = isOffered ? host.error : withFacts(host.error, bothIn(typedName, policy));
    return err({ type: 'failure', failure: found, target: 'body.vaultUri' });
  }
  if (!keyName.ok) {
    const found = withFacts(keyName.error, bothIn(typedName, policy));
    return err({ type: 'failure', failure: found, target: 'body.keyName' });
  }
  const typedTenant = input['tenantId'] === undefined ? undefined : textOf(input['tenantId']);
  const tenantId = typedTenant?.trim().toLowerCase();
  if (tenantId !== undefined && !isGuid(tenantId)) {
    return err({ type: 'invalid', target: 'body.tenantId', message: tenantIdMessage(typedTenant ?? '') });
  }
  const way = wayIn(input['credential'], policy, tenantId);
  return way.ok ? ok({ host: host.value, keyName: keyName.value, ...way.value }) : way;
}

const textOf = (typed: unknown): string => (typeof typed === 'string' ? typed : '');

/** The vault and the key of a whole address that was entered as a name; nothing of anything else. */
function bothIn(text: string, policy: ConnectionPolicy): FailureFacts {
  const meant = meantAddress(text, policy);
  if (meant?.keyName === undefined || !parseCustomerVault(`https://${meant.host}`, policy).ok) return {};
  return { suggestedVaultUri: `https://${meant.host}`, suggestedKeyName: meant.keyName };
}

/** What is wrong with it, and the tenant that was probably meant. */
function tenantIdMessage(text: string): string {
  const odd = oddCharacter(text, (character) => !/^[0-9A-Fa-f-]$/.test(character));
  const meant = meantTenant(inPlainCharacters(decoded(unescaped(text))).toLowerCase());
  return (
    `A tenant id is a GUID${odd === undefined ? '' : `; this holds ${odd}`}.` +
    (meant === undefined ? '' : ` Probably meant: ${meant}.`)
  );
}

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** As the portal, az and issuers name it. */
const NAMED_TENANT = new RegExp(
  String.raw`(?:tenant ?(?:id)?["']?\s*[:=]?\s*["']?|directory id["']?\s*[:=]?\s*|#@|(?:sts\.windows\.net|login\.[a-z.]{1,60})/)(${GUID})`,
);
const ANY_GUID = new RegExp(String.raw`(subscriptions?[^0-9a-z]{1,6})?(${GUID})`, 'g');

/** The one that is called a tenant; else the only id that there is, if it is no subscription's. */
function meantTenant(text: string): string | undefined {
  const named = NAMED_TENANT.exec(text)?.[1];
  if (named !== undefined) return named;
  const others = new Set(
    [...text.matchAll(ANY_GUID)].filter(([, before]) => before === undefined).map(([, , id]) => id),
  );
  return others.size === 1 ? [...others][0] : undefined;
}

/** The host of a vault that may be a customer's. */
export function parseCustomerVault(vaultUri: string, policy: VaultPolicy): Result<string, Failure> {
  const parsed = parseVaultUri(vaultUri, policy);
  // Nor is it offered in place of what was typed.
  const host = parsed.ok ? parsed.value.host : parsed.error.facts.vaultHost;
  if (host !== undefined && (host === policy.vendorVaultHost || host === policy.sealVaultHost)) {
    return err(failure('vault-host-not-allowed', { vaultHost: host, detail: "it is the vendor's own vault" }));
  }
  return parsed.ok ? ok(parsed.value.host) : parsed;
}
