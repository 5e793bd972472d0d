// The suite over the vaults in memory, on which the tests of operations and the simulation stand.
import { randomUUID } from 'node:crypto';
import { describe } from 'vitest';
import type { VaultKey } from '../../shared/domain/provider.ts';
import { PRINCIPAL_ID } from '../fakes/fake-vault-answers.ts';
import { FakeVaults, type FakeKeyVersion, type FakeVault } from '../fakes/fake-vaults.ts';
import {
  describeSealers,
  describeVaults,
  type KeyChange,
  type SealDriver,
  type VaultDriver,
  type VaultPlace,
} from './vaults-contract.ts';

const KEY_NAME = 'customer-key';

class FakeVaultDriver implements VaultDriver, SealDriver {
  readonly #vaults = new FakeVaults();
  readonly #held = new Map<string, FakeVault>();

  customer(): Promise<VaultPlace> {
    return this.#place({ provider: 'azure-key-vault', connectionId: 'c' });
  }

  vendor(): Promise<VaultPlace> {
    return this.#place({ provider: 'managed' });
  }

  ports(): { readonly vaults: FakeVaults; readonly probe: FakeVaults } {
    return { vaults: this.#vaults, probe: this.#vaults };
  }

  sealer(): FakeVaults {
    return this.#vaults;
  }

  portsThatMeet(
    ...[{ target }, failure]: Parameters<VaultDriver['portsThatMeet']>
  ): ReturnType<VaultDriver['portsThatMeet']> {
    this.#vaults.fail({ operation: 'any', host: target.host, failure });
    return Promise.resolve(this.ports());
  }

  changeKey(place: VaultPlace, change: KeyChange): Promise<void> {
    for (const version of this.#versions(place)) version.describes = { ...version.describes, ...changed(change) };
    return Promise.resolve();
  }

  addVersion({ target: { host, keyName } }: VaultPlace): Promise<string> {
    return Promise.resolve(this.#vaults.addKey({ host, keyName, fixture: 'rsa-3072-1' }).describes.keyId);
  }

  addEllipticKey({ target: { host } }: VaultPlace, keyName: string): Promise<void> {
    this.#vaults.addKey({ host, keyName, fixture: 'ec-p256-1' });
    return Promise.resolve();
  }

  purgeKey({ target: { host, keyName } }: VaultPlace): Promise<void> {
    this.#vaults.purgeKey(host, keyName);
    return Promise.resolve();
  }

  removeKey({ target: { host, keyName } }: VaultPlace): Promise<void> {
    this.#vaults.removeKey(host, keyName);
    return Promise.resolve();
  }

  removeVault({ target: { host } }: VaultPlace): Promise<void> {
    this.#vaults.removeVault(host);
    return Promise.resolve();
  }

  takeRole(place: VaultPlace): Promise<void> {
    this.#vault(place).roleAssigned = false;
    return Promise.resolve();
  }

  setConsent({ target: { tenantId } }: VaultPlace, consented: boolean): Promise<void> {
    this.#vaults.tenants.set(tenantId, { consented });
    return Promise.resolve();
  }

  moveToTenant(place: VaultPlace, tenantId: string): Promise<void> {
    this.#vault(place).tenantId = tenantId;
    return Promise.resolve();
  }

  rotate(): Promise<void> {
    this.#vaults.rotateSealKey();
    return Promise.resolve();
  }

  #place(ref: VaultPlace['target']['ref']): Promise<VaultPlace> {
    const target = { ref, host: `vault-${this.#held.size}.vault.azure.net`, keyName: KEY_NAME, tenantId: randomUUID() };
    this.#held.set(target.host, this.#vaults.addVault(target));
    const fixture = 'rsa-2048-1';
    const { describes } = this.#vaults.addKey({ ...target, fixture });
    return Promise.resolve({ target, keyId: describes.keyId, fixture, principalId: PRINCIPAL_ID });
  }

  #vault({ target: { host } }: VaultPlace): FakeVault {
    const vault = this.#held.get(host);
    if (!vault) throw new Error(`no vault ${host}`);
    return vault;
  }

  #versions(place: VaultPlace): readonly FakeKeyVersion[] {
    return this.#vault(place).keys.get(KEY_NAME) ?? [];
  }
}

const changed = ({ keyOps, ...change }: KeyChange): Partial<VaultKey> => ({ ...change, ...(keyOps ? { keyOps } : {}) });

const driver = new FakeVaultDriver();
describeVaults(() => driver);
describe('a sealer', () => describeSealers(() => driver));
