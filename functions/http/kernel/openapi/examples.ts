// Examples of bodies in the description: one for each schema that has a name, of one story. A test parses each by its schema.
import * as z from 'zod';
import { PROVIDERS, VENDORS_REF } from '../../../../shared/providers/registry.ts';
import { CONNECTION_EXAMPLES } from './connection-examples.ts';
import { failureExample } from './error-examples.ts';

const COMPANY = 'contoso';
const CREATED_AT = '2026-11-30T08:00:00.000Z';
const KEY = 'ZXhhbXBsZS1vbmx5LW5vdC1hLWtleS1vZi1hbnlib2Q';
const HASH = '5f0c1d3b7a9e4f6c8d2b1a0e9f7c6d5b4a3e2f1c0d9b8a7e6f5c4d3b2a1e0f9c';
const TARGET = { provider: PROVIDERS.find(({ isVendors }) => !isVendors)?.name, connectionId: 'main' };

const KEYRING = {
  keyringId: 'default',
  isDefault: true,
  state: 'ready',
  provider: VENDORS_REF,
  companyKeyVersion: 1,
  shardCount: 32,
  createdAt: CREATED_AT,
};

export const EXAMPLES: Readonly<Record<string, unknown>> = {
  ...CONNECTION_EXAMPLES,
  CompanyInput: { displayName: 'Contoso' },
  Company: {
    companyId: COMPANY,
    displayName: 'Contoso',
    defaultKeyring: 'default',
    state: 'active',
    createdAt: CREATED_AT,
  },
  CompanyDeletion: { status: 'Running' },
  KeyringInput: { isDefault: true },
  Keyring: KEYRING,
  CountedKeyring: { ...KEYRING, counts: { live: 1200, deleted: 3, quarantined: 0, lost: 0 } },
  Tenant: { kind: 'google-workspace', tenantId: 'contoso.com', registeredAt: CREATED_AT },
  Approval: { for: 'switch', keyringId: 'default', switchId: 'to-contoso' },
  Provider: TARGET,
  Switch: {
    switchId: 'to-contoso',
    keyringId: 'default',
    kind: 'switch',
    state: 're-protecting',
    status: 'Running',
    source: VENDORS_REF,
    target: TARGET,
    counts: { total: 1203, done: 700, checked: 0, quarantined: 0, lost: 0 },
    ratePerSecond: 140.5,
    secondsLeft: 13,
    paused: false,
    quarantine: [],
    unverifiedTenants: [],
    createdAt: CREATED_AT,
  },
  SwitchRetry: { direction: 'back' },
  RecountInput: { acceptMissing: [{ shard: 3, rows: 1 }] },
  Recount: { shards: [] },
  NewDataKeysInput: { keys: [{ keyId: 'backup-2026-11' }, {}] },
  NewDataKeys: {
    keyringId: 'default',
    keys: [
      { outcome: 'created', keyId: 'backup-2026-11', companyKeyVersion: 1, plaintext: KEY },
      { outcome: 'id-taken', keyId: 'backup-2026-10' },
    ],
  },
  UnwrapInput: { keyIds: ['backup-2026-11', 'backup-1999-01'] },
  UnwrappedDataKeys: {
    keys: [
      { outcome: 'unwrapped', keyId: 'backup-2026-11', companyKeyVersion: 1, plaintext: KEY },
      { outcome: 'not-found', keyId: 'backup-1999-01' },
    ],
  },
  DataKey: {
    keyId: 'backup-2026-11',
    state: 'live',
    origin: 'generated',
    companyKeyVersion: 1,
    createdAt: CREATED_AT,
  },
  ExportRequest: { passphrase: 'correct horse battery staple' },
  CompanyKeyExport: {
    format: 'keyswitch.company-key-export.1',
    keyringId: 'default',
    versions: [2],
    jwe: 'eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.a2V5.aXY.Y2lwaGVydGV4dA.dGFn',
  },
  VaultClaim: {
    vaultHost: 'contoso.vault.azure.net',
    keyName: 'keyswitch',
    companyId: COMPANY,
    claimedAt: CREATED_AT,
    state: 'held',
  },
  Event: {
    sequence: 7,
    id: '019ad3f0-5b1c-7e6a-9c44-2f1d7e5a0b3c',
    at: CREATED_AT,
    by: 'entra:2b0f3c1e-7d5a-4e8b-9a61-0c5d3f7b2e94 asserting "Zoë Müller"',
    from: '203.0.113.7',
    requestId: '019ad3f0-5b1b-7a11-8d1e-6b0c9f2e4a75',
    action: 'switch.ordered',
    target: 'keyrings/default/switches/to-contoso',
    outcome: 'done',
    detail: TARGET,
    previous: HASH,
    hash: HASH.replace('5f', 'a1'),
  },
  Chain: { status: 'intact', problems: [], head: { sequence: 7, hash: HASH.replace('5f', 'a1') } },
  Status: { status: 'ok' },
  Health: { status: 'ok', checkedAt: CREATED_AT, warnings: [] },
  Failure: failureExample,
};

/** Into the description of each schema that has a name. */
export function giveExample({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }): void {
  const { id = '' } = z.globalRegistry.get(zodSchema) ?? {};
  if (id in EXAMPLES) Object.assign(jsonSchema, { example: EXAMPLES[id] });
}
