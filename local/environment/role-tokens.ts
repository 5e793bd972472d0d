// Bearer tokens for Keyswitch's API, one for each role, as Entra would issue them to the vendor's backend.
import type { EntraEmulator } from '../entra/entra.ts';
import { CUSTOMER_NAMES, type CustomerName } from './customers.ts';

export interface RoleTokens {
  readonly vendorAdmin: string;
  readonly dataKeys: string;
  readonly auditor: string;
  /** By the company they are for. */
  readonly companyAdmins: Readonly<Record<CustomerName, string>>;
}

/** A working day. */
const LIFETIME_SECONDS = 12 * 3_600;

export function mintRoleTokens(entra: Pick<EntraEmulator, 'mintApiToken'>): RoleTokens {
  const mint = (role: string, number: number, company?: string): string =>
    entra.mintApiToken({
      roles: [`Keyswitch.${role}`],
      objectId: `7e5d0000-0000-4000-8000-0000000e000${number}`,
      expiresInSeconds: LIFETIME_SECONDS,
      ...(company === undefined ? {} : { company }),
    });
  const admins = CUSTOMER_NAMES.map((name, index) => [name, mint('CompanyAdmin', index + 4, name)] as const);
  return {
    vendorAdmin: mint('VendorAdmin', 1),
    dataKeys: mint('DataKeys', 2),
    auditor: mint('Auditor', 3),
    companyAdmins: Object.fromEntries(admins) as Record<CustomerName, string>,
  };
}
