// The vendor's own key: where a keyring begins, and what it comes back to. No connection leads to it; the settings say where it is.
export const managed = { name: 'managed', isVendors: true } as const;
