// Testing a connection: from what was typed to a round trip with the key, in order, up to the first check that fails. Asks of
// the vault one GET and one unwrap, and answers at once: waiting for Azure is an answer too. What the world refuses is part
// of the result and never thrown. Of a connection in force the versions in use are looked at as well, and decide: what is wrong with the
// newest one alone is then a warning.
import { createSecretKey } from 'node:crypto';
import type { Actor } from '../../domain/audit.ts';
import { COMPANY_KEY_BYTES, wrapCompanyKey } from '../../domain/company-key.ts';
import { parseCustomerVault, type ConnectionPolicy } from '../../providers/azure-key-vault/input/connection-input.ts';
import { isInForce, targetOfConnection, type Connection } from '../../domain/connection.ts';
import { CheckList, verdictOf, type ConnectionCheck, type ConnectionTest } from '../../domain/connection-verdict.ts';
import { lackOfRecentConsent } from '../../identity/entra/consent.ts';
import { asWarning, type Failure, type FailureCode } from '../../domain/failure.ts';
import { judgeKey } from '../../providers/azure-key-vault/key-fitness.ts';
import { excuseRecentGrant } from '../../providers/azure-key-vault/recent-grant.ts';
import { failure } from '../../providers/azure-key-vault/words/failures.ts';
import { ofConnection } from '../../providers/azure-key-vault/key-in-use.ts';
import { parseKeyId, type VaultKey, type VaultTarget } from '../../domain/provider.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { connectionRowKey } from '../../store/rows/row-keys.ts';
import { recordEvent, recordFailure, type Recording } from '../../store/record-event.ts';
import { completeMove, targetMovedTo, type Moving } from './move.ts';
import { noteOnConnection, type ConnectionNotesDependencies } from './notes.ts';
import type { Loaded } from '../../store/control-state.ts';
import { lookAtKeyInUse } from '../keys/look-in-use.ts';
import type { ConnectionProbe } from '../../providers/provider.ts';
import { tenantOfVault } from './vault-tenant.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface ConnectionTestDependencies extends ConnectionNotesDependencies, Recording, Moving {
  readonly tables: Recording['tables'];
  readonly sealer: ConnectionNotesDependencies['sealer'];
  readonly probe: ConnectionProbe;
  readonly connectionPolicy: ConnectionPolicy;
  readonly keyPolicy: {
    readonly minRsaBits: number;
    readonly purgeable: 'warn' | 'refuse';
    /** A grant younger than this may not have arrived. */
    readonly propagationMs: number;
  };
  /** How long a consent serves for a set-up, or a move, that is not finished. */
  readonly consentMs: number;
}

/** What may be wrong with the newest version alone, while an older one serves. */
const OF_THE_VERSION: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'key-disabled',
  'key-operation-not-permitted',
  'key-type-unsupported',
]);

/** How often a test begins anew because the connection was changed under it. */
const MAX_RUNS = 3;

/**
 * Refused only if there is no such connection, if its row is forged (`row-forged`, nothing is sent), or if the vendor's own
 * seal key cannot be had.
 */
export async function testConnection(
  deps: ConnectionTestDependencies,
  request: { readonly companyId: string; readonly connectionId: string; readonly roleAssigned?: boolean },
  actor: Actor,
): Promise<Result<ConnectionTest, Refusal>> {
  let tested: Result<ConnectionTest, Refusal> = err({ type: 'busy', retryAfterSeconds: 1 });
  for (let run = 0; run < MAX_RUNS && !tested.ok && tested.error.type === 'busy'; run += 1) {
    tested = await testOnce(deps, request, actor);
  }
  if (tested.ok) await recordTest(deps, request, { actor, test: tested.value });
  return tested;
}

/** What it found is written to the row step by step, so the record of the test is one of its own. */
async function recordTest(
  deps: Recording,
  { companyId, connectionId }: { readonly companyId: string; readonly connectionId: string },
  { actor, test }: { readonly actor: Actor; readonly test: ConnectionTest },
): Promise<void> {
  const found = test.checks.find(({ outcome }) => outcome === 'failed')?.failure;
  const target = connectionRowKey(connectionId);
  const detail = { status: test.status, code: found?.code };
  await recordEvent(deps, actor, { action: 'connection.test', companyId, target, detail, outcome: 'done' });
  if (found) await recordFailure(deps, actor, { companyId, target, failure: found });
}

async function testOnce(
  deps: ConnectionTestDependencies,
  request: { readonly companyId: string; readonly connectionId: string; readonly roleAssigned?: boolean },
  actor: Actor,
): Promise<Result<ConnectionTest, Refusal>> {
  const loaded = await loadConnection(deps, request);
  if (!loaded.ok) return err(refusedBy(loaded.error));
  if (!loaded.value) return err(notFound('connection', request.connectionId));
  const run = new TestRun(deps, { companyId: request.companyId, actor, held: loaded.value });
  const refusal = (await run.checkAll(request.roleAssigned === true)) ?? (await run.noteOutcome());
  return refusal ? err(refusal) : ok(run.report());
}

/** One test in progress: what is known so far, and the checks done. */
class TestRun {
  readonly #deps: ConnectionTestDependencies;
  readonly #companyId: string;
  readonly #list = new CheckList();
  #held: Loaded<Connection>;
  readonly #actor: Actor;
  #principalId: string | undefined;
  #movedTo: string | undefined;
  #isIn = false;

  constructor(
    deps: ConnectionTestDependencies,
    test: { readonly companyId: string; readonly actor: Actor; readonly held: Loaded<Connection> },
  ) {
    this.#deps = deps;
    this.#companyId = test.companyId;
    this.#actor = test.actor;
    this.#held = test.held;
  }

  /** A refusal ends the test without a verdict. A check that fails ends it with one. */
  async checkAll(roleAssigned: boolean): Promise<Refusal | undefined> {
    if (roleAssigned) {
      const refusal = await this.#note({ roleAssignedAt: this.#deps.clock.now().toISOString() });
      if (refusal) return refusal;
    }
    if (!(await this.#reach())) return undefined;
    const movedTo = targetMovedTo(this.#deps, this.#held.value);
    const isMoved = movedTo !== undefined && (await tenantOfVault(this.#deps.probe, movedTo)).ok;
    const refusal = isMoved ? await this.#follow(movedTo) : await this.#enter();
    const target = targetOfConnection(this.#held.value);
    if (refusal || !target || !this.#isIn) return refusal;
    const key = await this.#deps.vaults.readKey(target);
    const forgotten = key.ok ? await this.#note({ keySeen: true }) : undefined;
    if (forgotten) return forgotten;
    const servesAsItIs = await this.#lookAtUse();
    if (this.#isFit(target, key, servesAsItIs)) await this.#roundTrip(target, key.value);
    return undefined;
  }

  /** As far as a token for the vault. */
  async #enter(): Promise<Refusal | undefined> {
    const tenantId = await this.#challenge();
    if (tenantId === undefined) return undefined;
    // Pinned before any token is asked for: from here on no vault can name another tenant.
    const unpinned = await this.#note({ tenantId });
    if (unpinned) return unpinned;
    this.#list.pass('challenge');
    const target = targetOfConnection(this.#held.value);
    this.#isIn = target !== undefined && this.#isConsented() && (await this.#obtainToken(target));
    return undefined;
  }

  /** The same through the tenant to which a vault in force was moved: pinned once its key has opened what is in use. */
  async #follow(movedTo: VaultTarget): Promise<Refusal | undefined> {
    this.#movedTo = movedTo.tenantId;
    this.#list.pass('challenge');
    this.#list.pass('consent');
    if (!(await this.#obtainToken(movedTo))) return undefined;
    const place = { companyId: this.#companyId, held: this.#held };
    const done = await completeMove(this.#deps, place, this.#actor);
    if (!done.ok) return done.error;
    const look = done.value?.look;
    if (look?.outcome !== 'good') {
      this.#list.fail('in-use', this.#known(look?.failure ?? failure('wrong-entra-tenant')));
      return undefined;
    }
    this.#held = done.value?.held ?? this.#held;
    this.#isIn = true;
    return undefined;
  }

  /** True if company keys are wrapped by the key, and all of them open. */
  async #lookAtUse(): Promise<boolean> {
    if (!isInForce(this.#held.value)) return false;
    const look = await lookAtKeyInUse(this.#deps, { companyId: this.#companyId, connection: this.#held.value });
    for (const warning of look?.warnings ?? []) this.#list.warn('in-use', this.#known(warning));
    if (look?.outcome === 'failed') return this.#list.fail('in-use', this.#known(look.failure));
    if (!look?.warnings.length) this.#list.pass('in-use');
    return true;
  }

  /** Of the newest version. While the ones in use serve, nobody feels what is wrong with it. */
  #object(check: ConnectionCheck, denial: Failure, servesAsItIs: boolean): false {
    const known = this.#known(denial);
    if (!servesAsItIs || !OF_THE_VERSION.has(known.code)) return this.#list.fail(check, known);
    this.#list.warn(check, asWarning(known));
    return false;
  }

  /**
   * No switch is ordered on a connection whose last test failed. Written if it is another outcome than the last. A test that waits has none: were
   * it one, a word that the role was assigned would do in place of a test that is green.
   */
  async noteOutcome(): Promise<Refusal | undefined> {
    const { status, checks } = this.#verdict();
    if (status === 'waiting') return undefined;
    const found = checks.find(({ outcome }) => outcome === 'failed')?.failure;
    return this.#note({ testFailed: status === 'failed' ? (found?.code ?? null) : null });
  }

  #verdict(): ConnectionTest {
    const { clock, keyPolicy } = this.#deps;
    return verdictOf(this.#list, {
      connection: this.#held.value,
      now: clock.now(),
      propagationMs: keyPolicy.propagationMs,
      excuse: excuseRecentGrant,
      ...(this.#principalId === undefined ? {} : { principalId: this.#principalId }),
    });
  }

  /** The verdict, which the log is told too. */
  report(): ConnectionTest {
    const { log } = this.#deps;
    const connection = this.#held.value;
    const verdict = this.#verdict();
    const found = verdict.checks.find(({ outcome }) => outcome === 'failed')?.failure;
    log.write({
      level: verdict.status === 'failed' ? 'warning' : 'info',
      event: 'connection.tested',
      detail: {
        companyId: this.#companyId,
        connectionId: connection.connectionId,
        status: verdict.status,
        code: found?.code,
        serviceStatus: found?.service?.status,
        serviceCode: found?.service?.code,
        serviceMessage: found?.service?.message,
        correlationId: found?.service?.correlationId,
      },
    });
    return verdict;
  }

  async #reach(): Promise<boolean> {
    const { host } = this.#held.value;
    const allowed = parseCustomerVault(`https://${host}`, this.#deps.connectionPolicy);
    if (!allowed.ok) return this.#list.fail('input', this.#known(allowed.error));
    this.#list.pass('input');
    const reached = await this.#deps.probe.reach(host);
    if (!reached.ok) return this.#list.fail('dns-tls', this.#known(reached.error));
    return this.#list.pass('dns-tls');
  }

  /** The vault's own tenant, if it is the connection's or the connection has none yet. */
  async #challenge(): Promise<string | undefined> {
    const named = await tenantOfVault(this.#deps.probe, this.#held.value);
    if (named.ok) return named.value;
    this.#list.fail('challenge', this.#known(named.error));
    return undefined;
  }

  /** Without it no token is asked for: a service principal that another company's consent left in the tenant would do for one. */
  #isConsented(): boolean {
    const { clock, consentMs } = this.#deps;
    const lack = lackOfRecentConsent(this.#held.value, { now: clock.now(), consentMs });
    return lack ? this.#list.fail('consent', this.#known(lack)) : this.#list.pass('consent');
  }

  async #obtainToken(target: VaultTarget): Promise<boolean> {
    const token = await this.#deps.probe.obtainToken(target);
    if (!token.ok) return this.#list.fail('token', this.#known(token.error));
    this.#principalId = token.value.principalId;
    return this.#list.pass('token');
  }

  #isFit(
    target: VaultTarget,
    key: Result<VaultKey, Failure>,
    servesAsItIs: boolean,
  ): key is { readonly ok: true; readonly value: VaultKey } {
    if (!key.ok) return this.#object('key-read', key.error, servesAsItIs);
    const id = parseKeyId(key.value.keyId);
    if (id?.host !== target.host || id.keyName.toLowerCase() !== target.keyName.toLowerCase()) {
      return this.#list.fail('key-read', this.#substituted('the answer names another key'));
    }
    this.#list.pass('key-read');
    const { keyPolicy, clock } = this.#deps;
    const purpose = isInForce(this.#held.value) ? 'in-force' : 'test';
    const { denials, warnings } = judgeKey(key.value, { ...keyPolicy, now: clock.now(), purpose });
    for (const warning of warnings) this.#list.warn('key-fit', this.#known(warning));
    for (const denial of denials) this.#object('key-fit', denial, servesAsItIs);
    if (denials.length > 0) return false;
    return warnings.length > 0 || this.#list.pass('key-fit');
  }

  /** Random bytes, wrapped here with the public key and unwrapped by the vault, must come back as they were. */
  async #roundTrip(target: VaultTarget, key: VaultKey): Promise<void> {
    const sent = this.#deps.entropy.bytes(COMPANY_KEY_BYTES);
    const expected = createSecretKey(sent);
    const ciphertext = wrapped(key, sent);
    sent.fill(0);
    if (ciphertext === undefined) {
      this.#list.fail('unwrap', this.#known(failure('vault-error', { detail: 'its public key cannot be used' })));
      return;
    }
    const unwrapped = await this.#deps.vaults.unwrap(target, { keyId: key.keyId, ciphertext });
    if (!unwrapped.ok) {
      this.#list.fail('unwrap', this.#known(unwrapped.error));
      return;
    }
    this.#list.pass('unwrap');
    const isSame = createSecretKey(unwrapped.value).equals(expected);
    unwrapped.value.fill(0);
    if (isSame) this.#list.pass('compare');
    else this.#list.fail('compare', this.#substituted('what came back is not what was wrapped'));
  }

  #substituted(detail: string): Failure {
    const { connectionId } = this.#held.value;
    const event = 'security.key-substituted';
    this.#deps.log.write({ level: 'error', event, detail: { companyId: this.#companyId, connectionId } });
    return this.#known(failure('key-substituted', { detail }));
  }

  /** The failure with every name filled in that is known by now. */
  #known(found: Failure): Failure {
    return ofConnection(found, this.#held.value, {
      ...(this.#movedTo === undefined ? {} : { tenantId: this.#movedTo }),
      ...(this.#principalId === undefined ? {} : { principalId: this.#principalId }),
    });
  }

  async #note(notes: Parameters<typeof noteOnConnection>[2]['notes']): Promise<Refusal | undefined> {
    const noted = await noteOnConnection(this.#deps, this.#held, { companyId: this.#companyId, notes });
    if (!noted.ok) return noted.error;
    this.#held = noted.value;
    return undefined;
  }
}

/** Undefined if node:crypto takes the vault's numbers for no RSA key, or for one too small. */
function wrapped({ n, e }: VaultKey, companyKey: Uint8Array): string | undefined {
  try {
    return wrapCompanyKey({ n, e, companyKey }).toString('base64url');
  } catch {
    return undefined;
  }
}
