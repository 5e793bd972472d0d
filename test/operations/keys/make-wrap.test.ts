// The first company key of a keyring: nothing is answered that does not come back from the vault, and nothing is left in memory.
import { beforeEach, describe, expect, it } from 'vitest';
import { COMPANY_KEY_BYTES, wrapCompanyKey } from '../../../shared/domain/company-key.ts';
import { makeFirstCompanyKey } from '../../../shared/operations/keys/make-wrap.ts';
import { errorOf, PLACE, valueOf, VENDOR, World } from '../data-keys/world.ts';

const CONTEXT = { ...PLACE, version: 1 };

let world: World;
/** What entropy gave out, and what it was then. */
let drawn: { readonly bytes: Uint8Array; readonly was: Buffer }[];
beforeEach(() => {
  world = new World();
  drawn = [];
});

const make = (): ReturnType<typeof makeFirstCompanyKey> => {
  const { entropy } = world;
  const bytes = (count: number): Uint8Array => {
    const given = entropy.bytes(count);
    drawn.push({ bytes: given, was: Buffer.from(given) });
    return given;
  };
  const place = { context: CONTEXT, target: world.host.providers.vendor };
  return makeFirstCompanyKey({ ...world.host, entropy: { bytes, id: () => entropy.id() } }, place);
};

const expectOverwritten = (): void => {
  expect(drawn.map(({ bytes }) => [...bytes])).toEqual([Array.from({ length: COMPANY_KEY_BYTES }, () => 0)]);
};

describe('the first company key of a keyring', () => {
  it('is the one that was drawn, under the vendor’s key, and then overwritten in memory', async () => {
    const { keyId, ciphertext, ref } = valueOf(await make());
    expect(ref).toEqual({ provider: 'managed' });
    const payload = world.vaults.peek(keyId, ciphertext);
    expect(Buffer.from(payload!.subarray(0, COMPANY_KEY_BYTES))).toEqual(drawn[0]!.was);
    expectOverwritten();
  });

  it.each(['readKey', 'sign', 'unwrap'] as const)('is refused, and overwritten, where %s fails', async (operation) => {
    world.vaults.fail({ operation, failure: 'vault-unreachable' });
    expect(errorOf(await make())).toMatchObject({ type: 'failure', failure: { code: 'vault-unreachable' } });
    expectOverwritten();
  });

  it('is overwritten where something breaks', async () => {
    world.vaults.onCall = () => {
      throw new Error('broken');
    };
    await expect(make()).rejects.toThrow('broken');
    expectOverwritten();
  });

  it('is refused, by the names of vault and key, where the vault gives back another one made for the same place', async () => {
    const { n, e } = world.vaults.newestKey(VENDOR.host).describes;
    const other = wrapCompanyKey({ n, e, companyKey: new Uint8Array(COMPANY_KEY_BYTES).fill(7) });
    const unwrap = world.vaults.unwrap.bind(world.vaults);
    world.vaults.unwrap = (target, wrapped) => unwrap(target, { ...wrapped, ciphertext: other.toString('base64url') });
    expect(errorOf(await make())).toMatchObject({
      type: 'failure',
      failure: { code: 'key-substituted', facts: { vaultHost: VENDOR.host, keyName: VENDOR.keyName } },
    });
    expectOverwritten();
  });
});
