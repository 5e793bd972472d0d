// A switch as every call about it answers it; who orders it.
import type * as z from 'zod';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import { ok, type Result } from '../../../../shared/domain/result.ts';
import type { OrderingVendor } from '../../../../shared/domain/switch-orders.ts';
import { getSwitch, type ViewDependencies } from '../../../../shared/operations/switches/view.ts';
import type { Role } from '../../kernel/roles.ts';
import type { Answer } from '../../kernel/answer-json.ts';
import type { CallContext } from '../../kernel/route.ts';
import type { switchPath } from '../../kernel/schemas/ids.ts';
import { switchToBody, type SwitchBody } from './bodies.ts';

export type Place = z.output<typeof switchPath>;

export interface OrderingServices {
  /** A switch that the vendor orders needs no confirmation by an admin of the company. */
  readonly vendorMaySwitch: boolean;
}

export const STEERS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin'];
export const POLL_AGAIN = { 'Retry-After': '5' };

export const COLLECTION = '/companies/{companyId}/keyrings/{keyringId}/switches';
export const ONE = `${COLLECTION}/{switchId}`;

/** Absent for an admin of the company. */
export const vendorOf = (
  { vendorMaySwitch }: OrderingServices,
  { isCompanyAdmin }: Pick<CallContext, 'isCompanyAdmin'>,
): { readonly vendor?: OrderingVendor } => (isCompanyAdmin ? {} : { vendor: { maySwitch: vendorMaySwitch } });

export async function shown(
  deps: ViewDependencies,
  place: Place,
  call: CallContext,
  status: number,
): Promise<Result<Answer<SwitchBody>, Refusal>> {
  const view = await getSwitch(deps, place);
  if (!view.ok) return view;
  const { value } = view;
  const body = switchToBody(value, call);
  const url = `${call.baseUrl}/companies/${place.companyId}/keyrings/${place.keyringId}/switches/${place.switchId}`;
  return ok({ status, body, headers: status === 202 ? { 'Operation-Location': url, ...POLL_AGAIN } : {} });
}
