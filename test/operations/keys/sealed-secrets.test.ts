import { describe, expect, it } from 'vitest';
import { openSecret, sealSecret } from '../../../shared/operations/keys/sealed-secrets.ts';
import type { SealedSecret, SecretPlace } from '../../../shared/domain/sealed-secret.ts';
import { sealedTextsOfSecret } from '../../../shared/domain/sealed-secret.ts';
import { readSealedSecret } from '../../../shared/store/rows/secret-cell.ts';
import { TestWorld } from '../../world.ts';

const PLACE: SecretPlace = ['keyswitch.test.1', 'contoso', 'main'];
const SECRET = 'a secret of a customer';

async function sealed(world: TestWorld, place = PLACE): Promise<SealedSecret> {
  const kept = await sealSecret(world.ports(), place, Buffer.from(SECRET));
  if (!kept.ok) throw new Error(kept.error.code);
  return kept.value;
}

const opened = async (world: TestWorld, place: SecretPlace, secret: SealedSecret): Promise<string> => {
  const answer = await openSecret(world.ports(), place, secret);
  return answer.ok ? answer.value.toString() : answer.error.code;
};

describe('a small secret at rest', () => {
  it('opens at its place again, also after its cell was read', async () => {
    const world = new TestWorld();
    const secret = await sealed(world);
    expect(await opened(world, PLACE, secret)).toBe(SECRET);
    expect(readSealedSecret(JSON.parse(JSON.stringify(secret)))).toEqual(secret);
  });

  it('is not to be read in what is stored, and two of the same are told by nothing', async () => {
    const world = new TestWorld();
    const [one, other] = [await sealed(world), await sealed(world)];
    const stored = Object.values<string>({ ...one }).map((text) => Buffer.from(text, 'base64url').toString('latin1'));
    for (const text of [...Object.values<string>({ ...one }), ...stored]) expect(text).not.toContain(SECRET);
    expect(one.blob).not.toBe(other.blob);
    expect(one.ciphertext).not.toBe(other.ciphertext);
  });

  it.each<[string, SecretPlace]>([
    ['of another company', ['keyswitch.test.1', 'fabrikam', 'main']],
    ['of another kind', ['keyswitch.other.1', 'contoso', 'main']],
    ['whose ids are split in another way', ['keyswitch.test.1', 'contosomain']],
  ])('does not open at the place %s', async (_, place) => {
    const world = new TestWorld();
    expect(await opened(world, place, await sealed(world))).toBe('row-forged');
  });

  it.each(['blob', 'ciphertext'] as const)('does not open with a changed %s', async (name) => {
    const world = new TestWorld();
    const secret = await sealed(world);
    const bytes = Buffer.from(secret[name], 'base64url');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const changed = { ...secret, [name]: bytes.toString('base64url') };
    expect(await opened(world, PLACE, changed)).not.toBe(SECRET);
    expect(sealedTextsOfSecret(changed)).not.toEqual(sealedTextsOfSecret(secret));
  });

  it('asks no vault about a version of another key', async () => {
    const world = new TestWorld();
    const secret = await sealed(world);
    const asked = world.vaults.calls.length;
    const elsewhere = { ...secret, keyId: 'https://evil.vault.azure.net/keys/k/1' };
    expect(await opened(world, PLACE, elsewhere)).toBe('row-forged');
    expect(world.vaults.calls).toHaveLength(asked);
  });

  it("is refused as the vendor's vault refuses, and nothing is thrown", async () => {
    const world = new TestWorld();
    const secret = await sealed(world);
    world.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
    expect(await opened(world, PLACE, secret)).not.toBe(SECRET);
    expect(await sealSecret(world.ports(), PLACE, Buffer.from(SECRET))).toMatchObject({ ok: false });
  });
});
