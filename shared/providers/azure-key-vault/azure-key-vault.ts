// A key in a company's own Azure Key Vault, which a connection reaches.
export const azureKeyVault = { name: 'azure-key-vault', isVendors: false } as const;
