// What the table of acts is made of: for each act a company as it is just before, and the operation that acts.
import type { SwitchState } from '../../shared/domain/switch.ts';
import { putCompany } from '../../shared/operations/companies/companies.ts';
import { deleteCompany } from '../../shared/operations/companies/delete-company.ts';
import { followKeyVersion } from '../../shared/operations/switches/follow-key-version.ts';
import { ensureListed } from '../../shared/store/company-index.ts';
import { deleteConnection, putConnection } from '../../shared/operations/connections/connections.ts';
import { claimVaultKey, releaseClaim } from '../../shared/operations/connections/vault-claims.ts';
import { putKeyring } from '../../shared/operations/keyrings/keyrings.ts';
import { cancelSwitch, confirmSwitch, pauseSwitch, resumeSwitch } from '../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../shared/operations/switches/start.ts';
import { deleteTenant, putTenant } from '../../shared/operations/tenants/tenants.ts';
import { loadSwitch } from '../../shared/store/control-state.ts';
import { ADMIN } from '../fakes/actors.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, MANAGED, place, Rig, VENDOR } from '../operations/switches/rig.ts';
import { destination, ENTRA, register, verify } from '../operations/tenants/tenant-rig.ts';

export type Host = ReturnType<Rig['freshHost']>;

/** An act in its company, which may be tried again and again. */
export interface Scene {
  readonly rig: Rig;
  readonly act: (host: Host) => Promise<unknown>;
}

const SWITCH = place('s1');
const NEW_CONNECTION = {
  companyId: COMPANY,
  connectionId: 'tailspin',
  input: { vaultUri: `https://${CONTOSO_HOST}`, keyName: 'another-key', credential: { kind: 'federated' as const } },
  condition: {},
};
const UNUSED_KEY = { host: CONTOSO_HOST, keyName: 'unused-key' };

/** A company with data keys, after this; and the act, which is told what that came to. */
const after =
  <T>(before: (rig: Rig) => Promise<T>, act: (host: Host, rig: Rig, told: T) => Promise<unknown>, dataKeys = 3) =>
  async (): Promise<Scene> => {
    const rig = await Rig.withDataKeys(dataKeys, { shardCount: 1 });
    const told = await before(rig);
    return { rig, act: (host) => act(host, rig, told) };
  };
const at = (act: (host: Host) => Promise<unknown>): (() => Promise<Scene>) => after(() => Promise.resolve(), act);

const order = (host: Host, vendor?: { readonly maySwitch: boolean }): Promise<unknown> =>
  startSwitch(host, { ...SWITCH, target: CONTOSO, ...(vendor ? { vendor } : {}) }, ADMIN);
const ordered = (rig: Rig): Promise<unknown> => order(rig.freshHost());
const pause = (host: Host): Promise<unknown> => pauseSwitch(host, SWITCH, ADMIN);

/** Messages are worked until the switch has come to this. What a dead worker had taken is told of again, as the timer does. */
const works =
  (state: SwitchState) =>
  async (host: Host, rig: Rig): Promise<void> => {
    rig.deps = host;
    const isThere = async (): Promise<boolean> => (await loadSwitch(rig.store, SWITCH))?.value.state === state;
    for (let tries = 0; tries < 2 && !(await isThere()); tries += 1) {
      await host.queue.send([{ format: 1, kind: 'advance', attempt: 0, ...SWITCH }]);
      await rig.drain({ enough: isThere });
      // The lease of a worker that died runs out.
      if (!(await isThere())) rig.clock.advance(host.endLeaseMs);
    }
  };
const workedUntil =
  (state: SwitchState) =>
  async (rig: Rig): Promise<void> => {
    await ordered(rig);
    await works(state)(rig.freshHost(), rig);
  };

/** Of a company without data keys: it begins, and ends in the same call. */
const deleted = after(
  (rig) => ensureListed(rig.store, COMPANY),
  (host) => deleteCompany(host, { companyId: COMPANY }, ADMIN),
  0,
);

/** By the action that the record of the act names. */
export const ACTS: Readonly<Record<string, () => Promise<Scene>>> = {
  'company.put': at((host) => putCompany(host, { companyId: COMPANY, displayName: 'Acme Ltd' }, ADMIN)),
  'company.delete': deleted,
  'company.deleted': deleted,
  'companykey.follow': after(
    (rig) => {
      rig.vaults.addKey({ host: VENDOR.host, keyName: VENDOR.keyName, fixture: 'rsa-3072-1' });
      return Promise.resolve();
    },
    (host) => followKeyVersion(host, { companyId: COMPANY, keyringId: KEYRING, ref: MANAGED }, ADMIN),
  ),
  'keyring.create': at((host) => putKeyring(host, { companyId: COMPANY, keyringId: 'second' }, ADMIN)),
  'keyring.make-default': after(
    (rig) => putKeyring(rig.freshHost(), { companyId: COMPANY, keyringId: 'second' }, ADMIN),
    (host) => putKeyring(host, { companyId: COMPANY, keyringId: 'second', isDefault: true }, ADMIN),
  ),
  'connection.put': at((host) => putConnection(host, NEW_CONNECTION, ADMIN)),
  'connection.delete': at((host) =>
    deleteConnection(host, { companyId: COMPANY, connectionId: 'fabrikam', condition: {} }, ADMIN),
  ),
  'vault-claim.release': after(
    (rig) => claimVaultKey(rig.freshHost(), { companyId: COMPANY, ...UNUSED_KEY }),
    (host) => releaseClaim(host, UNUSED_KEY, ADMIN),
  ),
  'tenant.register': at((host) => putTenant(host, { companyId: COMPANY, ...ENTRA, condition: {} }, ADMIN)),
  'tenant.remove': after(
    (rig) => register(rig, ENTRA),
    (host) => deleteTenant(host, { companyId: COMPANY, ...ENTRA, condition: {} }, ADMIN),
  ),
  'tenant.verify': after(
    async (rig) => {
      await register(rig, ENTRA);
      await ordered(rig);
      return destination(rig, 's1');
    },
    (host, rig, where) => {
      rig.deps = host;
      return verify(rig, 's1', ENTRA, { destination: where });
    },
  ),
  'switch.start': at(order),
  'switch.confirm': after(
    (rig) => order(rig.freshHost(), { maySwitch: false }),
    (host) => confirmSwitch(host, SWITCH, ADMIN),
  ),
  'switch.pause': after(workedUntil('re-protecting'), pause),
  'switch.resume': after(
    async (rig) => {
      await workedUntil('re-protecting')(rig);
      await pause(rig.freshHost());
    },
    (host) => resumeSwitch(host, SWITCH, ADMIN),
  ),
  'switch.cancel': after(workedUntil('re-protecting'), (host) => cancelSwitch(host, SWITCH, ADMIN)),
  'switch.cancelled': after(async (rig) => {
    await workedUntil('re-protecting')(rig);
    await cancelSwitch(rig.freshHost(), SWITCH, ADMIN);
  }, works('cancelled')),
  'switch.prepared': after(ordered, works('re-protecting')),
  'switch.completed': after(workedUntil('re-protecting'), works('completed')),
};

/** An order to a switch is recorded each time that it is given, and so is a word of a tenant's. */
export const RECORDED_EACH_TIME: ReadonlySet<string> = new Set([
  'switch.pause',
  'switch.resume',
  'switch.cancel',
  'tenant.verify',
]);

/** Events that come with no change of what is stored. */
export const RECORDED_BY_THEMSELVES = [
  'access.refused',
  'audit.event-unreadable',
  'company-key.export-refused',
  'connection.test',
  'data-keys.calls',
  'security.kept-key-used',
  'security.row-forged',
  'sign-in.refused',
];

/** Shown by tests of their own so far. The list may only grow shorter. */
export const NOT_HERE_YET = [
  'company-key.export',
  'company.delete-turned-back',
  'connection.move',
  'consent.decline',
  'consent.grant',
  'consent.request',
  'data-key.loss-accepted',
  'data-key.quarantine-retried',
  'keptkey.deleted',
  'keyring.shard-recounted',
  'message.poison',
  'switch.blocked',
  'switch.retry',
  'switch.unblocked',
  'tenant.decline',
  'tenant.request-verification',
  'vault.state-changed',
];
