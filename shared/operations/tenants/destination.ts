// Where an approval leads: what its page shows, and what a verification is bound to. Reads only.
import { destinationDigest, type Approval } from '../../domain/approval.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { isEnded } from '../../domain/switch.ts';
import type { KeyDescription } from '../../providers/provider.ts';
import { targetOf, type TargetReading } from '../keys/open-wrap.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';

export type DestinationReading = TargetReading;

export interface Destination {
  readonly target: KeyTarget;
  readonly key: KeyDescription;
  readonly digest: string;
}

/**
 * The vault key that a switch leads to, or the one that protects the keyring whose key is exported. A switch that has ended, or is a
 * re-key, needs no approval.
 */
export async function destinationOf(
  deps: DestinationReading,
  { companyId, approval }: { readonly companyId: string; readonly approval: Approval },
): Promise<Result<Destination, Refusal>> {
  const { keyringId } = approval;
  const keyring = await loadKeyring(deps.tables, { companyId, keyringId });
  if (!keyring) return err(notFound('keyring', keyringId));
  let ref = keyring.value.provider;
  if (approval.for === 'switch') {
    const { switchId } = approval;
    const sw = await loadSwitch(deps.tables, { companyId, keyringId, switchId });
    if (!sw) return err(notFound('switch', switchId));
    if (isEnded(sw.value.state)) {
      return err({ type: 'state', code: 'switch-ended', message: `The switch is ${sw.value.state}.` });
    }
    if (sw.value.kind === 'rekey') {
      const message = 'A re-key stays under the same vault key: nothing is verified for it.';
      return err({ type: 'state', code: 'nothing-to-verify', message });
    }
    ref = sw.value.target;
  }
  const target = await targetOf(deps, { companyId, ref });
  return target.ok
    ? ok({
        target: target.value,
        key: deps.providers.of(target.value.ref).describe(target.value),
        digest: destinationDigest(target.value),
      })
    : err(refusedBy(target.error));
}
