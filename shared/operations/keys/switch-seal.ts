// The seal of a switch: over what was ordered, by whom, and what lets it go on. A writer of the tables can stop a switch, and grants it nothing.
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import { sealedBytesOfSwitch } from '../../domain/seal.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import type { Sealer } from '../../domain/ports.ts';
import { checkSeal, type SealCheck } from './seals.ts';

export interface SwitchSealing extends SealCheck {
  readonly sealer: Sealer;
}

/** Ids are not read from the row but from where it was found: a copied row then fails its seal. */
const bytesOf = ({ companyId, keyringId, switchId }: SwitchPlace, sw: Omit<Switch, 'seal'>): Buffer =>
  sealedBytesOfSwitch(companyId, { ...sw, keyringId, switchId });

/** `row-forged` if this is not what was ordered, or not what an admin has allowed it. To be asked before anything is done because of it. */
export function checkSwitch(deps: SealCheck, place: SwitchPlace, sw: Switch): Promise<Result<void, Failure>> {
  const { companyId } = place;
  const rowKey = switchRow.key(place);
  return checkSeal(deps, { companyId, rowKey, bytes: bytesOf(place, sw), seal: sw.seal });
}

export async function sealSwitch(
  { sealer }: Pick<SwitchSealing, 'sealer'>,
  place: SwitchPlace,
  sw: Omit<Switch, 'seal'>,
): Promise<Result<Switch, Failure>> {
  const seal = await sealer.sign(bytesOf(place, sw));
  return seal.ok ? ok({ ...sw, seal: seal.value }) : seal;
}

/** The next state of a switch under a seal of its own, if anything that is sealed has changed; only of one whose seal holds. */
export async function resealSwitch(
  deps: SwitchSealing,
  place: SwitchPlace,
  { from, to }: { readonly from: Switch; readonly to: Switch },
): Promise<Result<Switch, Failure>> {
  if (bytesOf(place, from).equals(bytesOf(place, to))) return ok({ ...to, seal: from.seal });
  const checked = await checkSwitch(deps, place, from);
  return checked.ok ? sealSwitch(deps, place, to) : checked;
}
