// Refusals of Key Vault as people met them in the wild, with ids, names and addresses replaced. Each says whose move it is, and no
// remedy names a step that Azure refuses. Where they were seen stands beside them.
import { describe, expect, it } from 'vitest';
import { mayPass, type Failure, type FailureCode, type FailureOwner } from '../../shared/domain/failure.ts';
import { excuseRecentGrant } from '../../shared/providers/azure-key-vault/recent-grant.ts';
import { classifyVaultAnswer } from '../../shared/providers/azure-key-vault/answers.ts';
import { afterLook } from '../../shared/domain/health.ts';

const FACTS = { vaultHost: 'contoso-keys.vault.azure.net', keyName: 'customer-key' };
const CALLER =
  'appid=7e5d0000-0000-4000-8000-0000000000c1;oid=7e5d0000-0000-4000-8000-0000000000e1;iss=https://sts.windows.net/7e5d0000-0000-4000-8000-0000000000a1/';
const VAULT = 'Vault: contoso-keys;location=westeurope';

interface Seen {
  readonly source: string;
  readonly innerCode?: string;
  readonly message: string;
  readonly code: FailureCode;
  readonly owner: FailureOwner;
}

const rbac = (denyAssignmentId: string): string =>
  'Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed ' +
  `recently, please observe propagation time.\r\nCaller: ${CALLER}\r\nAction: 'Microsoft.KeyVault/vaults/keys/read'\r\n` +
  "Resource: '/subscriptions/7e5d0000-0000-4000-8000-0000000000f1/resourcegroups/keys/providers/microsoft.keyvault/vaults/contoso-keys/keys/customer-key'\r\n" +
  `Assignment: (not found)\r\nDenyAssignmentId: ${denyAssignmentId}\r\nDecisionReason: null \r\n${VAULT}\r\n`;
const firewall = (address: string): string =>
  `Client address is not authorized and caller is not a trusted service.\r\nClient address: ${address}\r\nCaller: ${CALLER}\r\n${VAULT}`;

/** Key Vault says so of every vault without a perimeter too: the rules of one could only let more in. */
const NO_PERIMETER =
  'Request was not allowed by NSP rules and the client address is not authorized and caller was ignored because bypass is set to None' +
  `\r\nClient address: 203.0.113.7\r\nCaller: ${CALLER}\r\n${VAULT}`;

const SEEN: readonly Seen[] = [
  {
    source: 'hashicorp/terraform-provider-azurerm#20742',
    innerCode: 'ForbiddenByFirewall',
    message: firewall('203.0.113.7'),
    code: 'vault-firewall',
    owner: 'azure-admin',
  },
  {
    source: 'the same without an inner code: old SDKs leave it out',
    message: firewall('203.0.113.7'),
    code: 'vault-firewall',
    owner: 'azure-admin',
  },
  {
    source: 'MicrosoftDocs/azure-docs articles/key-vault/general/rest-error-codes.md',
    message: 'Client address (203.0.113.7) is not authorized and caller is not a trusted service',
    code: 'vault-firewall',
    owner: 'azure-admin',
  },
  {
    source:
      'Azure DevOps docs of AzureKeyVault@2; Azure Container Apps troubleshooting: a vault that is in no perimeter',
    innerCode: 'ForbiddenByFirewall',
    message: NO_PERIMETER,
    code: 'vault-firewall',
    owner: 'azure-admin',
  },
  {
    source: 'the same without an inner code, as Azure DevOps shows it',
    message: NO_PERIMETER,
    code: 'vault-firewall',
    owner: 'azure-admin',
  },
  {
    source: 'public write-up of a platform team: bypass None, by its text alone',
    message: 'Client address is not authorized and caller was ignored because bypass is set to None',
    code: 'vault-firewall',
    owner: 'azure-admin',
  },
  {
    source: 'Azure/azure-cli#31406 and public labs',
    message:
      "Connection is not an approved private link and caller was ignored because bypass is not set to 'AzureServices' and PublicNetworkAccess is set to 'Disabled'.",
    code: 'vault-private-only',
    owner: 'azure-admin',
  },
  {
    source: 'a subnet with a service endpoint (public write-up of the CSI driver)',
    innerCode: 'ForbiddenByFirewall',
    message: firewall('10.0.1.4 from unknown subnet'),
    code: 'vault-firewall',
    owner: 'vendor',
  },
  {
    source: 'Azure/azure-sdk-for-js sample of an NSP; only the control plane was seen',
    innerCode: 'ForbiddenByNsp',
    message: `The request was forbidden by NSP policy. Caller: ${CALLER}`,
    code: 'vault-perimeter',
    owner: 'azure-admin',
  },
  {
    source: 'the same by its text alone',
    message:
      'Access to this resource is governed by a Network Security Perimeter. The request fails to meet the criteria.',
    code: 'vault-perimeter',
    owner: 'azure-admin',
  },
  {
    source: 'microsoft/multimodal-ai#171; Azure-Samples/azuresandbox#556',
    innerCode: 'ForbiddenByConnection',
    message: `Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: ${CALLER}\r\n${VAULT}`,
    code: 'vault-private-only',
    owner: 'azure-admin',
  },
  {
    source: 'public troubleshooting page of an MSP',
    message:
      'Public access is disabled and the request was not made from a trusted service or via an approved private link',
    code: 'vault-private-only',
    owner: 'azure-admin',
  },
  {
    source: 'stackoverflow 66341460',
    message: 'This TCP connection does not allow access to contoso-keys.vault.azure.net.',
    code: 'vault-unreachable',
    owner: 'vendor',
  },
  {
    source: 'cosmosdb module of Azure Verified Modules',
    innerCode: 'ForbiddenByRbac',
    message: rbac('null'),
    code: 'access-denied-rbac',
    owner: 'azure-admin',
  },
  {
    source: 'Azure/azure-cli#15528, the older words',
    message: `The operation is not allowed by RBAC. If you recently changed permissions, note that it can take several minutes for them to take effect.\r\nCaller: ${CALLER}`,
    code: 'access-denied-rbac',
    owner: 'azure-admin',
  },
  {
    source: 'Azure/AppConfiguration#351; Azure/secrets-store-csi-driver-provider-azure#945',
    innerCode: 'ForbiddenByRbac',
    message: rbac("'7e5d0000-0000-4000-8000-00000000dead'"),
    code: 'access-denied-rbac',
    owner: 'azure-admin',
  },
  {
    source: 'MicrosoftDocs/azure-docs rest-error-codes, the words of 2021',
    innerCode: 'AccessDenied',
    message: `The user, group or application '${CALLER}' does not have keys get permission on key vault 'contoso-keys;location=westeurope'.`,
    code: 'access-denied-policy',
    owner: 'azure-admin',
  },
  {
    source: 'the same with a slash, as the portal words it',
    message:
      "The user, group or application 'appid=x' does not have keys/unwrapKey permission on key vault 'contoso-keys'.",
    code: 'access-denied-policy',
    owner: 'azure-admin',
  },
  {
    source: 'azure-key-vault forums: an access policy with an authorized application',
    innerCode: 'ForbiddenByPolicy',
    message: `The policy requires the caller '${CALLER}' to use on-behalf-of authentication flow.`,
    code: 'access-denied-policy',
    owner: 'azure-admin',
  },
  {
    source: 'azure-keyvault-emulator (Go), 0d00ca2',
    message: 'Operation unwrapKey is not permitted on an expired key.',
    code: 'key-expired',
    owner: 'azure-admin',
  },
  {
    source: 'the next code that Azure invents',
    innerCode: 'ForbiddenByMoonPhase',
    message: `The moon is wrong.\r\nCaller: ${CALLER}`,
    code: 'vault-refused',
    owner: 'azure-admin',
  },
  {
    source: 'azure-keyvault-emulator (Go), 0d00ca2: no inner code',
    message: 'The principal is not permitted to perform keys/get on this vault.',
    code: 'vault-refused',
    owner: 'azure-admin',
  },
];

const told = ({ innerCode, message }: Pick<Seen, 'innerCode' | 'message'>): Failure =>
  classifyVaultAnswer(
    { status: 403, code: 'Forbidden', message, ...(innerCode === undefined ? {} : { innerCode }) },
    FACTS,
  );

describe('a refusal seen in the wild', () => {
  it.each(SEEN)('$source: $code, the move of $owner', (seen) => {
    const found = told(seen);
    expect([found.code, found.owner]).toEqual([seen.code, seen.owner]);
  });
});

it('of a firewall that speaks of a perimeter names the address and the command, and no perimeter', () => {
  const { remedy } = told({ message: NO_PERIMETER });
  expect(remedy.azureCli).toBe('az keyvault network-rule add --name contoso-keys --ip-address 203.0.113.7');
  expect(JSON.stringify(remedy)).not.toContain('perimeter');
});

describe('a token that a vault does not take', () => {
  it.each([
    [
      'hashicorp/terraform-provider-azurerm#30912, at one region for days',
      'AKV10046: Unable to resolve the key used for signature validation.',
    ],
    ['Azure/azure-sdk-for-java#26624', 'Token not yet valid (Activity ID: 7e5d0000-0000-4000-8000-0000000000aa)'],
    [
      'Azure/go-autorest#525',
      'AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://vault.azure.net/.',
    ],
  ])('(%s) is nobody’s word that we may not: it may pass, and revokes nothing', (_source, message) => {
    const found = classifyVaultAnswer({ status: 401, code: 'Unauthorized', message }, FACTS);
    expect(found).toMatchObject({ code: 'vault-error', kind: 'transient', owner: 'vendor', service: { message } });
    expect(found.message).toContain(`401 Unauthorized: ${message.slice(0, 40)}`);
    expect(afterLook(undefined, { outcome: 'failed', failure: found, warnings: [] }, new Date(0)).state).not.toBe(
      'revoked',
    );
  });
});

describe('a vault that takes a request for a wrong one', () => {
  const bad = (message: string): Failure => classifyVaultAnswer({ status: 400, code: 'BadParameter', message }, FACTS);

  it.each([
    ['Azure/azure-sdk-for-net#36269; MicrosoftDocs/azure-docs#39976', 'Error occurred while decoding OAEP padding.'],
    ['Azure/azure-sdk-for-js#30125', 'Unable to decrypt specified value with this key'],
    ['an HSM-backed key (docs/azure.md)', 'The parameter is incorrect.\r\n'],
  ])('%s: the key is another than the one that wrapped, which no time mends and nobody revoked', (_source, message) => {
    const found = bad(message);
    expect(found).toMatchObject({ code: 'key-substituted', kind: 'integrity', owner: 'vendor' });
    expect(found.facts.detail).toBe('it does not open what it wrapped');
    expect(afterLook(undefined, { outcome: 'failed', failure: found, warnings: [] }, new Date(0)).state).not.toBe(
      'revoked',
    );
  });

  it.each([
    ['bruj0/vault-recovery-key#20', "Content of 'value' is not base64url.\r\nProperty 'value' is required.\r\n"],
    [
      'recording of azure-sdk-for-net',
      'The specified version (9.9) is not recognized. Consider using the latest supported version (7.6).',
    ],
  ])('%s: in its own words to the vendor, and not asked again for ever', (_source, message) => {
    const found = bad(message);
    expect(found).toMatchObject({ code: 'vault-refused', kind: 'denied', owner: 'vendor' });
    expect(mayPass(found)).toBe(false);
    expect(found.message).toContain(message.slice(0, 20));
    expect(found.remedy.azureCli).toBeUndefined();
  });

  it.each([405, 411, 415])('%i is said of a request too', (status) => {
    const found = classifyVaultAnswer({ status, code: 'NotSupported', message: 'Words of the vault.' }, FACTS);
    expect(found).toMatchObject({ code: 'vault-refused', kind: 'denied', owner: 'vendor' });
  });

  it.each([402, 404, 409, 410, 451])(
    '%i with a code that nobody knows is the company’s to look at, in its words',
    (status) => {
      const found = classifyVaultAnswer({ status, code: 'MoonPhase', message: 'The moon is wrong.' }, FACTS);
      expect(found).toMatchObject({ code: 'vault-refused', kind: 'denied', owner: 'azure-admin' });
      expect(found.message).toContain(`${status} MoonPhase: The moon is wrong`);
      const look = { outcome: 'failed', failure: found, warnings: [] } as const;
      expect(afterLook(afterLook(undefined, look, new Date(0)), look, new Date(1)).state).toBe('unreachable');
    },
  );

  it('that has no code is no vault', () => {
    const found = classifyVaultAnswer({ status: 400, message: '<html>Bad Request - Invalid Header</html>' }, FACTS);
    expect(found).toMatchObject({ code: 'vault-error', kind: 'transient' });
  });
});

describe('an address that a vault’s firewall refuses', () => {
  it.each([
    '10.0.1.4',
    '172.16.0.1',
    '172.31.255.254',
    '192.168.7.9',
    '100.64.0.1',
    '100.127.255.254',
    '169.254.1.1',
    '127.0.0.1',
    '0.0.0.0',
    '198.18.0.1',
    'fd00::4',
    'fe80::1',
    'fde4:8dba:82e1::1',
    '2603:1030:20e:3::23c',
    '2001:db8::1',
    '::1',
    '::ffff:10.0.1.4',
    '::ffff:a00:104',
  ])('%s is one that Azure takes into none: the vendor’s network, and no command for the company', (address) => {
    const found = told({ innerCode: 'ForbiddenByFirewall', message: firewall(address) });
    expect(found).toMatchObject({ code: 'vault-firewall', owner: 'vendor' });
    expect(found.remedy.azureCli).toBeUndefined();
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['172.32.0.1', '172.32.0.1'],
    ['100.128.0.1', '100.128.0.1'],
    ['11.0.0.1', '11.0.0.1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
  ])('%s is allowed by a command', (address, named) => {
    const found = told({ innerCode: 'ForbiddenByFirewall', message: firewall(address) });
    expect(found.owner).toBe('azure-admin');
    expect(found.remedy.azureCli).toBe(`az keyvault network-rule add --name contoso-keys --ip-address ${named}`);
  });
});

describe('a deny assignment', () => {
  const id = '7e5d0000-0000-4000-8000-00000000dead';
  const found = told({ innerCode: 'ForbiddenByRbac', message: rbac(`'${id}'`) });

  it('is named, and no role is offered: it would not help', () => {
    expect(found.facts).toMatchObject({
      denyAssignmentId: id,
      detail: 'a deny assignment blocks Microsoft.KeyVault/vaults/keys/read',
    });
    expect(JSON.stringify(found.remedy)).not.toContain('role assignment');
  });

  it.each(['null', 'NULL', "''", '(none)', '/subscriptions/s/providers/Microsoft.Authorization/denyAssignments/d'])(
    '%s is one or none',
    (denyAssignmentId) => {
      const isOne = denyAssignmentId.startsWith('/');
      const { facts } = told({ innerCode: 'ForbiddenByRbac', message: rbac(denyAssignmentId) });
      expect(facts.denyAssignmentId).toBe(isOne ? denyAssignmentId : undefined);
    },
  );

  it('never counts as a grant that is still on its way', () => {
    const now = new Date('2026-01-01T00:01:00Z');
    const facts = { grant: { grantedAt: '2026-01-01T00:00:00Z' }, now, propagationMs: 600_000 };
    expect(excuseRecentGrant(found, facts)).toBe(found);
    const role = told({ innerCode: 'ForbiddenByRbac', message: rbac('null') });
    expect(excuseRecentGrant(role, facts).kind).toBe('propagating');
  });
});

describe('a refusal for a reason that is not known', () => {
  it('carries the vault’s own words, on one line and bounded, to whoever can act', () => {
    const found = told({
      innerCode: 'ForbiddenByMoonPhase',
      message: `The moon\r\nis wrong.\u202e ${'x'.repeat(1_000)}`,
    });
    expect(found.message).toMatch(
      /^The vault refuses us for a reason of its own: 403 ForbiddenByMoonPhase: The moon is wrong\. x+\.$/,
    );
    expect(found.message.length).toBeLessThan(420);
    expect(found).toMatchObject({ kind: 'denied', owner: 'azure-admin' });
  });

  it('says nothing in the name of a vault when no vault spoke', () => {
    const found = classifyVaultAnswer({ status: 403, message: 'Blocked by your proxy' }, FACTS);
    expect(found).toMatchObject({ code: 'vault-error', kind: 'transient', owner: 'vendor' });
    expect(found.message).not.toContain('proxy');
  });
});
