// Admins: one starts switches and re-keys, changes his mind, pauses, follows new versions of a key and decides on quarantined rows. When
// the storm is over he does what each thing waits for, and nothing else.
import { type ProviderRef, parseKeyId, providerName } from '../../shared/domain/provider.ts';
import type { Result } from '../../shared/domain/result.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import { followKeyVersion } from '../../shared/operations/watch/follow-key-version.ts';
import { cancelSwitch, pauseSwitch, resumeSwitch, retrySwitch } from '../../shared/operations/switches/steer.ts';
import { acceptLoss, retryQuarantined } from '../../shared/operations/switches/quarantine.ts';
import { recount } from '../../shared/operations/switches/recount.ts';
import { startRekey, startSwitch } from '../../shared/operations/switches/start.ts';
import type { SwitchPlace } from '../../shared/domain/switch.ts';
import { getSwitch } from '../../shared/operations/switches/view.ts';
import { COMPANY, CONTOSO, FABRIKAM, KEYRING, MANAGED, VENDOR } from '../operations/switches/rig.ts';
import { call } from './callers.ts';
import { Chance } from './chance.ts';
import type { Host } from './host.ts';
import type { Actor } from './scheduler.ts';
import { putTenant } from '../../shared/operations/tenants/tenants.ts';
import { agree } from './tenants.ts';
import type { World } from './world.ts';
import { ADMIN } from '../fakes/actors.ts';

const AT_A_DESK: Actor = { role: 'admin at a desk' };
const TARGETS: readonly ProviderRef[] = [CONTOSO, FABRIKAM, MANAGED];
const PATIENCE_MS = 30_000;

export class Admin {
  readonly #world: World;
  readonly #chance: Chance;
  #switches = 0;

  constructor(world: World) {
    this.#world = world;
    this.#chance = new Chance(world.plan.seed, 'admin');
  }

  async changeHisMind(): Promise<void> {
    const { plan } = this.#world;
    await this.#start();
    for (let order = 1; order < plan.orders; order += 1) {
      await this.#wait();
      await this.#order();
    }
    await this.#wait();
  }

  /** Until so many more of the rows were worked on, or nothing moves. */
  #wait(): Promise<void> {
    const world = this.#world;
    const enough = world.passWrites + this.#chance.below(world.plan.calm ? 40 : 2 + world.plan.dataKeys);
    const ready = (): boolean => world.passWrites >= enough || world.control.running === undefined;
    const dueMs = world.clock.now().getTime() + PATIENCE_MS;
    return Promise.race([
      world.turn(AT_A_DESK, { text: 'waits for rows', ready }),
      world.turn(AT_A_DESK, { text: 'has waited long enough', dueMs }),
    ]);
  }

  async #order(): Promise<void> {
    const sw = this.#world.control.running;
    if (!sw) return this.#chance.happens(0.75) ? this.#start() : this.#follow();
    const place = this.#place(sw.switchId);
    const choice = this.#chance.below(20);
    const { state } = sw;
    if (choice < 6 && state === 'rolling-back')
      await this.#ask((d) => retrySwitch(d, { ...place, direction: 'forward' }, ADMIN));
    else if (choice < 7) await this.#ask((d) => cancelSwitch(d, place, ADMIN));
    else if (choice < 9) await this.#ask((d) => pauseSwitch(d, place, ADMIN));
    else if (choice < 12) await this.#ask((d) => resumeSwitch(d, place, ADMIN));
    else if (choice < 15 && sw.blocked?.reason === 'counts-differ') await this.#ask((d) => recount(d, place, ADMIN));
    else if (choice < 15) await this.#ask((d) => retrySwitch(d, place, ADMIN));
    else if (choice < 16) await this.#ask((d) => retrySwitch(d, { ...place, direction: 'back' }, ADMIN));
    else if (choice < 18) await this.#follow();
    else await this.#decideOnOne(place);
  }

  async #start(): Promise<void> {
    if (this.#chance.happens(0.8)) this.#switches += 1;
    const place = this.#place(`s${Math.max(1, this.#switches)}`);
    const inForce = this.#world.control.keyring?.provider;
    const others = TARGETS.filter((ref) => !inForce || providerName(ref) !== providerName(inForce));
    const target = this.#chance.pick(others);
    if (this.#chance.happens(0.2)) await this.#ask((d) => startRekey(d, place, ADMIN));
    else await this.#ask((d) => startSwitch(d, { ...place, target }, ADMIN));
  }

  /** The owner of the vault in force makes a new version of the key, or has made one. */
  async #follow(): Promise<void> {
    const world = this.#world;
    const ref = world.control.keyring?.provider ?? MANAGED;
    const host = world.control.hostOf(ref);
    const keyName = ref.provider === 'managed' ? VENDOR.keyName : 'customer-key';
    if (this.#chance.happens(0.7)) world.vaults.addKey({ host, keyName, fixture: 'rsa-2048-4' });
    const followed = await this.#ask((d) =>
      followKeyVersion(d, { companyId: COMPANY, keyringId: KEYRING, ref }, ADMIN),
    );
    if (!followed?.ok) return;
    const { keyId } = followed.value;
    for (const row of world.control.rows) {
      const wrap = row.wraps.find((one) => providerName(one.ref) === providerName(ref));
      if (wrap && versionIn(wrap.keyId) < versionIn(keyId)) {
        world.history.broken('2', `${keyId} was followed, and company key ${row.version} was left behind`);
      }
    }
  }

  async #decideOnOne(place: SwitchPlace): Promise<void> {
    const keyId = this.#chance.pick([...this.#world.history.returned]);
    const quarantined = this.#quarantined();
    const one = { ...place, keyId: quarantined.length > 0 ? this.#chance.pick(quarantined) : keyId };
    if (this.#chance.happens(0.7)) await this.#ask((d) => retryQuarantined(d, one, ADMIN));
    else await this.#ask((d) => acceptLoss(d, one, ADMIN));
  }

  #quarantined(): string[] {
    return this.#world.data.all().flatMap(([keyId, { state }]) => (state === 'quarantined' ? [keyId] : []));
  }

  /** Does what a switch says that it waits for. False if it waits for nobody. */
  async settle(): Promise<boolean> {
    const sw = this.#world.control.running;
    if (!sw) return false;
    const place = this.#place(sw.switchId);
    const before = this.#quarantined();
    const view = await this.#ask((d) => getSwitch(d, place));
    if (!view?.ok) return false;
    if (view.value.paused) await this.#ask((d) => resumeSwitch(d, place, ADMIN));
    if (view.value.blocked?.reason === 'counts-differ') await this.#recount(place);
    else if (view.value.blocked) await this.#ask((d) => retrySwitch(d, place, ADMIN));
    const named = view.value.quarantine.map(({ keyId }) => keyId);
    const unnamed = this.#quarantined().filter((keyId) => before.includes(keyId) && !named.includes(keyId));
    if (unnamed.length > 0) this.#world.history.broken('5', `${unnamed.join(', ')} waits in quarantine, unnamed`);
    for (const keyId of named) {
      const retried = await this.#ask((d) => retryQuarantined(d, { ...place, keyId }, ADMIN));
      const stays = retried && !retried.ok && retried.error.type === 'state';
      if (stays) await this.#ask((d) => acceptLoss(d, { ...place, keyId }, ADMIN));
    }
    const waiting =
      view.value.waitsFor === undefined || view.value.waitsFor === 'worker' ? [] : view.value.unverifiedTenants;
    for (const tenant of waiting) {
      // One that was removed since has no word until the vendor registers it again.
      await this.#ask((d) => putTenant(d, { companyId: COMPANY, ...tenant, condition: {} }, ADMIN));
      await agree(this.#world, this.#chance, tenant);
    }
    return view.value.paused || view.value.blocked !== undefined || named.length + waiting.length > 0;
  }

  /** No row ever vanishes here, so none may be missing. */
  async #recount(place: SwitchPlace): Promise<void> {
    const counted = await this.#ask((d) => recount(d, place, ADMIN));
    const missing = counted?.ok ? counted.value.filter(({ outcome }) => outcome === 'rows-missing') : [];
    if (missing.length > 0) this.#world.history.broken('4', `rows are missing: ${JSON.stringify(missing)}`);
  }

  #place(switchId: string): SwitchPlace {
    return { companyId: COMPANY, keyringId: KEYRING, switchId };
  }

  #ask<T>(
    order: (deps: Host['services']['admin']) => Promise<Result<T, Refusal>>,
  ): Promise<Result<T, Refusal> | undefined> {
    const host = this.#world.anyHost(this.#chance);
    return call(this.#world, host, () => order(host.services.admin));
  }
}

const versionIn = (keyId: string): number => Number.parseInt(parseKeyId(keyId)?.version ?? '0', 16);
