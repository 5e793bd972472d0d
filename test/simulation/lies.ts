// What a vault of the simulation says in due form instead of the truth: other key material, another key's id, what it was asked for by another call.
import type { VaultKey, VaultTarget } from '../../shared/domain/provider.ts';
import { LIES } from '../fakes/lying-vaults.ts';
import { FABRIKAM_HOST, VENDOR } from '../operations/switches/rig.ts';
import type { PortWorld } from './port-world.ts';

type LyingWorld = Pick<PortWorld, 'chance' | 'history' | 'vaults'>;

const WAYS = Object.values(LIES);

/** `truth` is overwritten: only who asked for it may have it. */
export function lieAboutUnwrapped({ chance, history }: LyingWorld, truth: Uint8Array): Uint8Array {
  history.troubles.add('key-substituted');
  const lie = chance.pick(WAYS)(truth, history.unwrapped);
  history.unwrapped.splice(0, history.unwrapped.length - 3, Uint8Array.from(truth));
  truth.fill(0);
  return Uint8Array.from(lie);
}

/** The public key of another vault, or the id of another version of its own. */
export function lieAboutKey({ chance, vaults }: LyingWorld, { host, keyName }: VaultTarget, truth: VaultKey): VaultKey {
  const other = vaults.newestKey(host === FABRIKAM_HOST ? VENDOR.host : FABRIKAM_HOST).describes;
  if (chance.happens(0.5)) return { ...truth, n: other.n, e: other.e };
  return { ...truth, keyId: `https://${host}/keys/${keyName}/00000000000000000000000000000001` };
}
