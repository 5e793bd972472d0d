// The suite over Azure's adapters, with the emulators of Key Vault, Entra ID and the managed identity behind real names. It cannot run
// against Azure as it is: it takes away tenants, consents and vaults.
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { FaultEffect } from '../../local/control/control.ts';
import { CONNECTOR_APP_ID } from '../../local/identities.ts';
import { AzureSealer } from '../../shared/providers/azure-key-vault/client/sealer.ts';
import type { FailureCode } from '../../shared/domain/failure.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import { KEY_NAME, VaultWorld } from '../adapters/vault-world.ts';
import {
  describeSealers,
  describeVaults,
  type KeyChange,
  type SealDriver,
  type VaultDriver,
  type VaultPlace,
  type VaultPorts,
} from './vaults-contract.ts';
import { FakeClock } from '../fakes/fake-system.ts';

const SEAL_KEY = 'seal';
const UNKNOWN_IDENTITY = '11111111-1111-4111-8111-111111111111';
const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);
const aadsts = (number: number): FaultEffect => ({
  status: 400,
  body: { error: 'invalid_client', error_description: `AADSTS${number}: words`, error_codes: [number] },
});

/** What the vault itself answers, once there is a token. */
const OF_THE_VAULT: Partial<Record<FailureCode, FaultEffect>> = {
  'vault-unreachable': { status: 503, body: {} },
  throttled: { status: 429, body: { error: { code: 'Throttled', message: 'Request was not processed' } } },
  'vault-error': { status: 418, body: 'teapot' },
};
const OF_ENTRA: Partial<Record<FailureCode, FaultEffect>> = {
  'entra-unreachable': { status: 503, body: 'busy' },
  'entra-throttled': { status: 429, body: {} },
  'entra-refused': aadsts(999_999),
  'entra-error': aadsts(50_194),
  'federation-mismatch': aadsts(700_213),
  'client-secret-wrong': aadsts(7_000_215),
  'client-secret-expired': aadsts(7_000_222),
};

class AzureVaultDriver implements VaultDriver, SealDriver {
  readonly world: VaultWorld;
  readonly #sealTarget: VaultTarget;

  constructor(world: VaultWorld, sealTarget: VaultTarget) {
    this.world = world;
    this.#sealTarget = sealTarget;
  }

  static async start(): Promise<AzureVaultDriver> {
    const world = await VaultWorld.start();
    const { target } = await world.vendor();
    await world.addKey(target.host, SEAL_KEY, 'ec-p256-1');
    return new AzureVaultDriver(world, { ...target, keyName: SEAL_KEY });
  }

  async customer(): Promise<VaultPlace> {
    return { ...(await this.world.customer()), fixture: 'rsa-2048-1' };
  }

  async vendor(): Promise<VaultPlace> {
    return { ...(await this.world.vendor()), fixture: 'rsa-2048-2' };
  }

  ports(): VaultPorts {
    return this.world.clients();
  }

  sealer(): AzureSealer {
    return new AzureSealer(this.world.clients().pool, this.#sealTarget, new FakeClock());
  }

  async portsThatMeet(place: VaultPlace, code: FailureCode): Promise<VaultPorts> {
    const { entra, keyVault } = this.world.azure;
    const ofVault = OF_THE_VAULT[code];
    const ofEntra = OF_ENTRA[code];
    if (ofVault) {
      for (const operation of ['get', 'unwrapkey']) keyVault.control.plant({ operation, effect: ofVault });
    } else if (ofEntra) entra.control.plant({ operation: 'token', effect: ofEntra });
    else if (code === 'managed-identity-unavailable') {
      return this.world.clients({ identityClientId: UNKNOWN_IDENTITY });
    } else await this.#arrange(place, code);
    return this.world.clients();
  }

  changeKey(place: VaultPlace, { enabled, keyOps, notBefore, expires }: KeyChange): Promise<void> {
    return this.#ofVault('PATCH', place, `/keys/${KEY_NAME}`, {
      enabled,
      keyOps,
      notBefore: notBefore && seconds(notBefore),
      expires: expires && seconds(expires),
    });
  }

  async addVersion({ target: { host, keyName } }: VaultPlace): Promise<string> {
    return (await this.world.addVersion(host, keyName, 'rsa-3072-1')).kid;
  }

  async addEllipticKey({ target: { host } }: VaultPlace, keyName: string): Promise<void> {
    await this.world.addKey(host, keyName, 'ec-p256-1');
  }

  removeKey(place: VaultPlace): Promise<void> {
    return this.#ofVault('DELETE', place, `/keys/${KEY_NAME}`);
  }

  async purgeKey(place: VaultPlace): Promise<void> {
    await this.#ofVault('DELETE', place, `/deleted-keys/${KEY_NAME}`);
  }

  removeVault(place: VaultPlace): Promise<void> {
    return this.#ofVault('DELETE', place, '');
  }

  takeRole(place: VaultPlace): Promise<void> {
    return this.#ofVault('DELETE', place, '/role-assignments/app', {});
  }

  async setConsent({ target: { tenantId } }: VaultPlace, consented: boolean): Promise<void> {
    const path = `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`;
    await this.world.entraCall(consented ? 'PUT' : 'DELETE', path);
  }

  moveToTenant(place: VaultPlace, tenantId: string): Promise<void> {
    return this.#ofVault('PATCH', place, '', { challengeTenantId: tenantId });
  }

  async rotate(): Promise<void> {
    await this.world.addVersion(this.#sealTarget.host, SEAL_KEY, 'ec-p256-2');
  }

  async #arrange(place: VaultPlace, code: FailureCode): Promise<void> {
    const { tenantId } = place.target;
    const arrangements: Partial<Record<FailureCode, () => Promise<unknown>>> = {
      'vault-not-found': () => this.removeVault(place),
      'vault-firewall': () =>
        this.#ofVault('PATCH', place, '', { firewall: ['203.0.113.7'], clientAddress: '198.51.100.4' }),
      'vault-private-only': () => this.#ofVault('PATCH', place, '', { privateOnly: true }),
      'access-denied-rbac': () => this.takeRole(place),
      'access-denied-policy': () => this.#ofVault('PATCH', place, '', { permissionModel: 'access-policy' }),
      'key-not-found': () => this.removeKey(place),
      'key-disabled': () => this.changeKey(place, { enabled: false }),
      'key-operation-not-permitted': () => this.changeKey(place, { keyOps: ['sign'] }),
      'consent-required': () => this.setConsent(place, false),
      'wrong-entra-tenant': () => this.moveToTenant(place, '99999999-9999-4999-8999-999999999999'),
      'entra-tenant-not-found': () => this.world.entraCall('DELETE', `/tenants/${tenantId}`),
      'blocked-by-conditional-access': () =>
        this.world.entraCall('PUT', `/tenants/${tenantId}/conditional-access/${CONNECTOR_APP_ID}`),
      'key-substituted': () => this.#answerForAnotherKey(),
    };
    const arrange = arrangements[code];
    if (!arrange) throw new Error(`nobody knows what leads to ${code}`);
    await arrange();
  }

  #answerForAnotherKey(): Promise<void> {
    const { control } = this.world.azure.keyVault;
    const kid = 'https://other.vault.azure.net/keys/other/1';
    control.plant({ operation: 'get', effect: { mergeBody: { key: { kid } } } });
    control.plant({ operation: 'unwrapkey', effect: { mergeBody: { kid } } });
    return Promise.resolve();
  }

  async #ofVault(method: string, { target: { host } }: VaultPlace, path: string, body?: object): Promise<void> {
    await this.world.vaultCall(method, `/vaults/${host}${path}`, body);
  }
}

let driver: AzureVaultDriver;

beforeAll(async () => {
  driver = await AzureVaultDriver.start();
});
beforeEach(() => driver.world.reset());
afterAll(() => driver.world.azure.close());

describeVaults(() => driver);
describe('a sealer', () => describeSealers(() => driver));
