// The checks of a connection test, one after the other: what each asks of the key's provider, and what is known once it has answered.
import type { Actor } from '../../domain/audit.ts';
import { isInForce, targetOfConnection, type Connection } from '../../domain/connection.ts';
import { CheckList, verdictOf, type ConnectionCheck, type ConnectionTest } from '../../domain/connection-verdict.ts';
import { isClaimedByTest, lackOfRecentConsent } from '../../identity/registry/tenant-kinds.ts';
import { asWarning, type Failure, type FailureCode } from '../../domain/failure.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import type { Result } from '../../domain/result.ts';
import type { Entropy } from '../../domain/ports.ts';
import type { KeyProvider, ReadKey } from '../../providers/provider.ts';
import type { Found } from '../../store/found.ts';
import { keyRules } from '../keys/key-rules.ts';
import { lookAtKeyInUse } from '../keys/look-in-use.ts';
import { proveRoundTrip } from '../keys/make-wrap.ts';
import { lackOfHostedClaim } from './hosted.ts';
import { completeMove, targetMovedTo, type Moving } from './move.ts';
import { proveNewerSecret } from './newer-secret.ts';
import { claimVaultKey } from './vault-claims.ts';
import { noteOnConnection, type ConnectionNotes, type ConnectionNotesDependencies } from './notes.ts';

export interface CheckingConnection extends ConnectionNotesDependencies, Moving {
  readonly tables: Moving['tables'];
  readonly sealer: Moving['sealer'];
  readonly entropy: Entropy;
  readonly keyPolicy: {
    /** A grant younger than this may not have arrived. */
    readonly propagationMs: number;
  };
}

/** Faults that may concern only the newest version, while an older one serves. */
const OF_THE_VERSION: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'key-disabled',
  'key-operation-not-permitted',
  'key-type-unsupported',
]);

/** One test in progress: what is known so far, and the checks done. */
export class ConnectionChecks {
  readonly #deps: CheckingConnection;
  readonly #companyId: string;
  readonly #actor: Actor;
  readonly #provider: KeyProvider;
  readonly #list = new CheckList();
  #held: Found<Connection>;
  #principalId: string | undefined;
  #movedTo: string | undefined;
  #isIn = false;

  constructor(
    deps: CheckingConnection,
    test: { readonly companyId: string; readonly actor: Actor; readonly held: Found<Connection> },
  ) {
    this.#deps = deps;
    this.#companyId = test.companyId;
    this.#actor = test.actor;
    this.#held = test.held;
    this.#provider = deps.providers.of(test.held.value);
  }

  get connection(): Connection {
    return this.#held.value;
  }

  /** A refusal ends the test without a verdict. A check that fails ends it with one. */
  async run(roleAssigned: boolean): Promise<Refusal | undefined> {
    const rules = await keyRules(this.#deps, { companyId: this.#companyId });
    if (!rules.ok) return refusedBy(rules.error);
    if (roleAssigned) {
      const refusal = await this.note({ roleAssignedAt: this.#deps.clock.now().toISOString() });
      if (refusal) return refusal;
    }
    if (!(await this.#reach())) return undefined;
    const movedTo = targetMovedTo(this.#deps, this.connection);
    const isMoved = movedTo !== undefined && (await this.#provider.probe.owner(movedTo)).ok;
    const refusal = isMoved ? await this.#follow(movedTo) : await this.#enter();
    const target = targetOfConnection(this.connection);
    if (refusal || !target || !this.#isIn) return refusal;
    const purpose = isInForce(this.connection) ? 'in-force' : 'test';
    const key = await this.#provider.read(target, { purpose, ...rules.value });
    const forgotten = key.ok ? await this.note({ keySeen: true }) : undefined;
    if (forgotten) return forgotten;
    const servesAsItIs = await this.#lookAtUse();
    if (!this.#isFit(target, key, servesAsItIs) || !(await this.#roundTrip(target, key.value))) return undefined;
    return isClaimedByTest(this.connection.credential) && !this.#list.hasFailed ? await this.#claim() : undefined;
  }

  verdict(): ConnectionTest {
    const { clock, keyPolicy } = this.#deps;
    return verdictOf(this.#list, {
      connection: this.connection,
      now: clock.now(),
      propagationMs: keyPolicy.propagationMs,
      excuse: this.#provider.excuse,
      isClaimedByTest: isClaimedByTest(this.connection.credential),
      ...(this.#principalId === undefined ? {} : { principalId: this.#principalId }),
    });
  }

  async note(notes: ConnectionNotes): Promise<Refusal | undefined> {
    const noted = await noteOnConnection(this.#deps, this.#held, { companyId: this.#companyId, notes });
    if (!noted.ok) return noted.error;
    this.#held = noted.value;
    return undefined;
  }

  async #reach(): Promise<boolean> {
    const admitted = this.#provider.admits(this.connection);
    if (!admitted.ok) return this.#list.fail('input', this.#known(admitted.error));
    this.#list.pass('input');
    const reached = await this.#provider.probe.reach(this.connection);
    return reached.ok ? this.#list.pass('dns-tls') : this.#list.fail('dns-tls', this.#known(reached.error));
  }

  /** As far as a token for the vault. */
  async #enter(): Promise<Refusal | undefined> {
    // The key's own tenant, if it is the connection's or the connection has none yet.
    const owner = await this.#provider.probe.owner(this.connection);
    if (!owner.ok) {
      this.#list.fail('challenge', this.#known(owner.error));
      return undefined;
    }
    // Pinned before any token is asked for: from here on no vault can name another tenant.
    const unpinned = await this.note({ tenantId: owner.value });
    if (unpinned) return unpinned;
    this.#list.pass('challenge');
    const target = targetOfConnection(this.connection);
    this.#isIn = target !== undefined && (await this.#isConsented()) && (await this.#obtainToken(target));
    return undefined;
  }

  /** The same through the tenant to which a vault in force was moved: pinned once its key has opened what is in use. */
  async #follow(movedTo: KeyTarget): Promise<Refusal | undefined> {
    this.#movedTo = movedTo.tenantId;
    this.#list.pass('challenge');
    this.#list.pass('consent');
    if (!(await this.#obtainToken(movedTo))) return undefined;
    const place = { companyId: this.#companyId, held: this.#held };
    const done = await completeMove(this.#deps, place, this.#actor);
    if (!done.ok) return done.error;
    const look = done.value?.look;
    if (look?.outcome !== 'good') {
      this.#list.fail('in-use', this.#known(look?.failure ?? this.#provider.otherOwner()));
      return undefined;
    }
    this.#held = done.value?.held ?? this.#held;
    this.#isIn = true;
    return undefined;
  }

  /** Without it no token is asked for: a service principal that another company's consent left in the tenant would do for one. */
  async #isConsented(): Promise<boolean> {
    if (isClaimedByTest(this.connection.credential)) return true;
    const { clock, consentMs } = this.#deps;
    const { host, keyName, credential } = this.connection;
    const lack =
      lackOfRecentConsent(this.connection, { now: clock.now(), consentMs }) ??
      (await lackOfHostedClaim(this.#deps, { companyId: this.#companyId, host, keyName, credential }));
    return lack ? this.#list.fail('consent', this.#known(lack)) : this.#list.pass('consent');
  }

  async #obtainToken(target: KeyTarget): Promise<boolean> {
    const token = (await this.#proveNewerSecret()) ?? (await this.#provider.probe.enter(target));
    if (!token.ok) return this.#list.fail('token', this.#known(token.error));
    this.#principalId = token.value.principalId;
    return this.#list.pass('token');
  }

  /** A company whose own app opens the key may claim it: its app could not open another company's key. */
  async #claim(): Promise<Refusal | undefined> {
    const { host, keyName } = this.connection;
    const claimed = await claimVaultKey(this.#deps, { companyId: this.#companyId, host, keyName });
    if (claimed.ok) this.#list.pass('claim');
    else if (claimed.error.type === 'failure') this.#list.fail('claim', this.#known(claimed.error.failure));
    else return claimed.error;
    return undefined;
  }

  /** Of two secrets, tries the newer by itself: if it works the older is dropped, else it serves on and the test says what is wrong with the newer. */
  async #proveNewerSecret(): Promise<Result<{ readonly principalId: string }, Failure> | undefined> {
    const proof = await proveNewerSecret(this.#deps, { companyId: this.#companyId, held: this.#held }, this.#actor);
    if (!proof.ok || !proof.value) return undefined;
    this.#held = proof.value.held;
    const { token } = proof.value;
    if (token.ok) return token;
    this.#list.warn('token', asWarning(this.#known(token.error)));
    return undefined;
  }

  /** True if company keys are wrapped by the key, and all of them open. */
  async #lookAtUse(): Promise<boolean> {
    if (!isInForce(this.connection)) return false;
    const look = await lookAtKeyInUse(this.#deps, { companyId: this.#companyId, connection: this.connection });
    for (const warning of look?.warnings ?? []) this.#list.warn('in-use', this.#known(warning));
    if (look?.outcome === 'failed') return this.#list.fail('in-use', this.#known(look.failure));
    if (!look?.warnings.length) this.#list.pass('in-use');
    return true;
  }

  #isFit(
    target: KeyTarget,
    key: Result<ReadKey, Failure>,
    servesAsItIs: boolean,
  ): key is { readonly ok: true; readonly value: ReadKey } {
    if (!key.ok) return this.#object('key-read', key.error, servesAsItIs);
    const { keyId, denials, warnings } = key.value;
    if (!this.#provider.isVersion(target, keyId)) {
      const substituted = this.#provider.substituted(target, 'the answer names another key');
      return this.#list.fail('key-read', this.#substituted(substituted));
    }
    this.#list.pass('key-read');
    for (const warning of warnings) this.#list.warn('key-fit', this.#known(warning));
    for (const denial of denials) this.#object('key-fit', denial, servesAsItIs);
    if (denials.length > 0) return false;
    return warnings.length > 0 || this.#list.pass('key-fit');
  }

  async #roundTrip(target: KeyTarget, key: ReadKey): Promise<boolean> {
    const proof = await proveRoundTrip(this.#deps, target, key);
    if (!proof.ok && proof.error.at === 'unwrap') return this.#list.fail('unwrap', this.#known(proof.error.failure));
    this.#list.pass('unwrap');
    if (proof.ok) return this.#list.pass('compare');
    return this.#list.fail('compare', this.#substituted(proof.error.failure));
  }

  /** A fault of the newest version. It is only a warning while the versions in use still serve. */
  #object(check: ConnectionCheck, denial: Failure, servesAsItIs: boolean): false {
    const known = this.#known(denial);
    if (!servesAsItIs || !OF_THE_VERSION.has(known.code)) return this.#list.fail(check, known);
    this.#list.warn(check, asWarning(known));
    return false;
  }

  #substituted(found: Failure): Failure {
    const { connectionId } = this.connection;
    const event = 'security.key-substituted';
    this.#deps.log.write({ level: 'error', event, detail: { companyId: this.#companyId, connectionId } });
    return this.#known(found);
  }

  /** The failure with every name filled in that is known by now. */
  #known(found: Failure): Failure {
    const facts = {
      ...(this.#movedTo === undefined ? {} : { tenantId: this.#movedTo }),
      ...(this.#principalId === undefined ? {} : { principalId: this.#principalId }),
    };
    return this.#provider.explain(found, { connection: this.connection, facts });
  }
}
