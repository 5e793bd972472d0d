// Where connections are, and who may set them up and see them.
import type { Role } from '../../kernel/roles.ts';

export const SETS_UP: readonly Role[] = ['VendorAdmin', 'CompanyAdmin'];
export const READS: readonly Role[] = ['VendorAdmin', 'CompanyAdmin', 'Auditor'];
export const COLLECTION = '/companies/{companyId}/connections';
export const ONE = `${COLLECTION}/{connectionId}`;
