// What the table of acts is made of: for each act a company as it is just before, and the operation that acts.
import { putCompany } from '../../shared/operations/companies/companies.ts';
import { putPolicy } from '../../shared/operations/companies/policy.ts';
import { deleteCompany } from '../../shared/operations/companies/delete-company.ts';
import { followKeyVersion } from '../../shared/operations/watch/follow-key-version.ts';
import { ensureListed } from '../../shared/store/company-index.ts';
import { deleteConnection, getConnection, putConnection } from '../../shared/operations/connections/connections.ts';
import { proveNewerSecret } from '../../shared/operations/connections/newer-secret.ts';
import { claimVaultKey, releaseClaim } from '../../shared/operations/connections/vault-claims.ts';
import { tellExpiry } from '../../shared/operations/watch/secrets-in-use.ts';
import { putKeyring } from '../../shared/operations/keyrings/keyrings.ts';
import { cancelSwitch, confirmSwitch, pauseSwitch, resumeSwitch } from '../../shared/operations/switches/steer.ts';
import { deleteTenant, putTenant } from '../../shared/operations/tenants/tenants.ts';
import { ADMIN } from '../fakes/actors.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, CUSTOMER_TENANT, KEYRING, VENDOR } from '../operations/switches/rig.ts';
import { destination, ENTRA, register, verify } from '../operations/tenants/tenant-rig.ts';
import { REPAIRS } from './repairs.ts';
import { after, at, order, ordered, SWITCH, workedUntil, works, type Host, type Scene } from './scene.ts';
import { SIGN_INS } from './sign-ins.ts';
import { UNWRAPS } from './unwraps.ts';
import { WEBHOOKS } from './webhooks.ts';

const NEW_CONNECTION = {
  companyId: COMPANY,
  connectionId: 'tailspin',
  input: { vaultUri: `https://${CONTOSO_HOST}`, keyName: 'another-key', credential: { kind: 'federated' as const } },
  condition: {},
};
const HOSTED_HOST = 'hosted-acme.vault.azure.net';
const HOSTED_CONNECTION = {
  companyId: COMPANY,
  connectionId: 'hosted',
  input: { vaultUri: `https://${HOSTED_HOST}`, keyName: 'acme-key', credential: { kind: 'vendor-hosted' } },
  condition: {},
  byVendor: true,
};
const POLICY = { vendorKey: 'forbidden', keyringsPerProvider: 'one', minRsaBits: 3072 } as const;
const OWN_APP = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
const withSecret = (clientSecret: string): Parameters<typeof putConnection>[1] => ({
  ...NEW_CONNECTION,
  input: {
    ...NEW_CONNECTION.input,
    tenantId: CUSTOMER_TENANT,
    credential: { kind: 'client-secret', clientId: OWN_APP, clientSecret, expiresAt: '2099-01-01' },
  },
});
const UNUSED_KEY = { host: CONTOSO_HOST, keyName: 'unused-key' };

const pause = (host: Host): Promise<unknown> => pauseSwitch(host, SWITCH, ADMIN);

/** Of a company without data keys: it begins, and ends in the same call. */
const deleted = after(
  (rig) => ensureListed(rig.store, COMPANY),
  (host) => deleteCompany(host, { companyId: COMPANY }, ADMIN),
  0,
);

/** By the action that the record of the act names, and what is special about it. */
export const ACTS: Readonly<Record<string, () => Promise<Scene>>> = {
  'company.put': at((host) => putCompany(host, { companyId: COMPANY, displayName: 'Acme Ltd' }, ADMIN)),
  'company.policy': at((host) => putPolicy(host, { companyId: COMPANY, policy: POLICY }, ADMIN)),
  'company.delete': deleted,
  'company.deleted': deleted,
  'key-version.followed': after(
    async (rig) => {
      await workedUntil('completed')(rig);
      rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-3072-1' });
    },
    (host) => followKeyVersion(host, { companyId: COMPANY, keyringId: KEYRING, ref: CONTOSO }, ADMIN),
  ),
  'keyring.create': at((host) => putKeyring(host, { companyId: COMPANY, keyringId: 'second' }, ADMIN)),
  'keyring.make-default': after(
    (rig) => putKeyring(rig.freshHost(), { companyId: COMPANY, keyringId: 'second' }, ADMIN),
    (host) => putKeyring(host, { companyId: COMPANY, keyringId: 'second', isDefault: true }, ADMIN),
  ),
  'connection.put': at((host) => putConnection(host, NEW_CONNECTION, ADMIN)),
  // Behind its two claims, and before they are looked at again.
  'connection.put of a hosted key': after(
    (rig) => Promise.resolve(rig.vaults.addVault({ host: HOSTED_HOST, tenantId: VENDOR.tenantId })),
    (host) => putConnection(host, HOSTED_CONNECTION, ADMIN),
  ),
  'connection.drop-secret': after(
    async (rig) => {
      for (const clientSecret of ['a-first-secret-of-the-app', 'a-second-secret-of-the-app'])
        await putConnection(rig.freshHost(), withSecret(clientSecret), ADMIN);
      rig.clock.advance(600_000);
    },
    async (host, rig) => {
      rig.vaults.apps.put({ clientId: OWN_APP, tenantId: CUSTOMER_TENANT, secrets: ['a-second-secret-of-the-app'] });
      const held = await getConnection(host, NEW_CONNECTION);
      return held.ok ? proveNewerSecret(host, { companyId: COMPANY, held: held.value }, ADMIN) : held;
    },
  ),
  'secret.expiring': after(
    async (rig) => {
      await putConnection(rig.freshHost(), withSecret('a-first-secret-of-the-app'), ADMIN);
      rig.clock.advance(Date.parse('2098-12-15') - rig.clock.now().getTime());
    },
    async (host) => {
      const held = await getConnection(host, NEW_CONNECTION);
      return held.ok ? tellExpiry(host, NEW_CONNECTION, held.value.value) : held;
    },
  ),
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
  ...REPAIRS,
  ...SIGN_INS,
  ...UNWRAPS,
  ...WEBHOOKS,
};

/** An order to a switch is recorded each time that it is given, so is a word of a tenant's, and each link that is asked for is another. */
export const RECORDED_EACH_TIME: ReadonlySet<string> = new Set([
  'switch.pause',
  'switch.resume',
  'switch.cancel',
  'switch.retry',
  'tenant.verify',
  'tenant.request-verification',
  'consent.request',
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
  'tenants.refresh-asked',
  'timer.run',
  'webhook.redeliver',
];
