// The four app roles of the API's app registration, as the `roles` claim spells them behind `Keyswitch.`. Pure.
export const ROLES = ['VendorAdmin', 'CompanyAdmin', 'DataKeys', 'Auditor'] as const;
export type Role = (typeof ROLES)[number];

export const claimOf = (role: Role): string => `Keyswitch.${role}`;
