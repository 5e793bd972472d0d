// The seal of a switch: over what was ordered, by whom, and what lets it go on. A writer of the tables can stop a switch, and gains nothing.
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

/** Ids come from the row's place, not from its cells, so a copied row fails its seal. */
const bytesOf = ({ companyId, keyringId, switchId }: SwitchPlace, sw: Omit<Switch, 'seal'>): Buffer =>
  sealedBytesOfSwitch(companyId, { ...sw, keyringId, switchId });

/** `row-forged` if it differs from what was ordered or from what an admin has allowed. Call it before acting on the switch. */
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

/** The next state of a switch, sealed again if anything that is sealed has changed. Only for a switch whose seal holds. */
export async function resealSwitch(
  deps: SwitchSealing,
  place: SwitchPlace,
  { from, to }: { readonly from: Switch; readonly to: Switch },
): Promise<Result<Switch, Failure>> {
  if (bytesOf(place, from).equals(bytesOf(place, to))) return ok({ ...to, seal: from.seal });
  const checked = await checkSwitch(deps, place, from);
  return checked.ok ? sealSwitch(deps, place, to) : checked;
}
