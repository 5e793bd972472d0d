import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import { hostedInstructions } from '../../../shared/providers/azure-key-vault/hosted-instructions.ts';
import { adminInstructions } from '../../../shared/providers/azure-key-vault/instructions.ts';
import type { Instruction } from '../../../shared/providers/provider.ts';

const PLACE = {
  host: 'contoso.vault.azure.net',
  keyName: 'main-key',
  appId: '22222222-0000-4000-8000-000000000002',
  tenantId: '11111111-0000-4000-8000-000000000001',
};
const OID = '33333333-0000-4000-8000-000000000003';
const all = adminInstructions(PLACE);
const named = (id: Instruction['id'], place: Parameters<typeof adminInstructions>[0] = PLACE): Instruction =>
  adminInstructions(place).find((instruction) => instruction.id === id)!;

/** What a shell makes of a script in which `az` prints its own arguments, one JSON list a call. */
function azCalls(script: string): string[][] {
  const az = `az() { node -e 'console.log(JSON.stringify(process.argv.slice(1)))' -- "$@" >&2; echo "[$1 $2]"; }\n`;
  const out = execFileSync('bash', ['-c', `${az}set -eu\n( ${script}\n) 2>&1 >/dev/null`], { encoding: 'utf8' });
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
}

describe('instructions for the Azure admin', () => {
  it('begin with the service principal and end with how to take the access away', () => {
    expect(all.map(({ id }) => id)).toEqual(['service-principal', 'role', 'least-role', 'access-policy', 'take-away']);
  });

  it('leave nothing to be filled in', () => {
    for (const text of [all, adminInstructions({ ...PLACE, principalId: OID })].map((list) => JSON.stringify(list))) {
      expect(text).not.toMatch(/<[a-z-]+>|undefined|YOUR_|\.\.\.|…/i);
    }
  });

  it('say by what the app proves itself, for whoever keeps the key', () => {
    const federation = { issuer: 'https://login.microsoftonline.com/vendor/v2.0', subject: OID };
    const { explanation } = named('service-principal', { ...PLACE, federation });
    for (const said of [PLACE.appId, federation.issuer, OID]) expect(explanation).toContain(said);
  });

  it('promise no consent link, since there is none yet', () => {
    expect(JSON.stringify([all, failure('consent-required').remedy])).not.toMatch(/consent link/i);
  });

  it('name the principal by its ids, never by a display name', () => {
    for (const { azureCli, powerShell } of all) {
      expect(azureCli + powerShell).not.toMatch(/display-?name/i);
      expect(azureCli).toContain(PLACE.appId);
    }
    expect(named('role', { ...PLACE, principalId: OID }).azureCli).toContain(`--assignee-object-id ${OID}`);
  });

  it('assign the built-in role on the key alone', () => {
    expect(azCalls(named('role').azureCli)).toEqual([
      ['ad', 'sp', 'show', '--id', PLACE.appId, '--query', 'id', '--output', 'tsv'],
      ['keyvault', 'show', '--name', 'contoso', '--query', 'id', '--output', 'tsv'],
      [
        'role',
        'assignment',
        'create',
        '--assignee-object-id',
        '[ad sp]',
        '--assignee-principal-type',
        'ServicePrincipal',
        '--role',
        'e147488a-f6f5-4113-8e2d-b22465e65bf6',
        '--scope',
        '[keyvault show]/keys/main-key',
      ],
    ]);
  });

  it('define a role with read and unwrap only, assignable in the resource group of the vault', () => {
    const calls = azCalls(named('least-role').azureCli);
    const definition = calls.find(([what, verb]) => what === 'role' && verb === 'definition')!;
    expect(JSON.parse(definition.at(-1)!)).toEqual({
      Name: 'Keyswitch key user (contoso)',
      Description: 'Read the metadata of keys, and unwrap with them. Nothing else.',
      Actions: [],
      DataActions: ['Microsoft.KeyVault/vaults/keys/read', 'Microsoft.KeyVault/vaults/keys/unwrap/action'],
      AssignableScopes: ['[group show]'],
    });
    expect(calls.at(-1)).toContain('Keyswitch key user (contoso)');
  });

  it('give an access policy get and unwrapKey only', () => {
    const { azureCli, powerShell, bicep } = named('access-policy');
    expect(azureCli).toMatch(/--key-permissions get unwrapKey$/);
    expect(powerShell).toMatch(/-PermissionsToKeys get,unwrapKey$/);
    expect(
      bicep?.template
        .match(/keys: \[([^\]]*)\]/)?.[1]
        ?.split(/\s+/)
        .filter(Boolean),
    ).toEqual(["'get'", "'unwrapKey'"]);
  });

  it('deploy each Bicep file into the resource group of the vault, with its parameter filled in', () => {
    const files = all.flatMap(({ bicep }) => (bicep ? [bicep] : []));
    expect(files).toHaveLength(3);
    for (const { deploy, template, fileName } of files) {
      const call = azCalls(deploy).at(-1)!;
      expect(call).toEqual(
        expect.arrayContaining(['--resource-group', '[keyvault show]', fileName, 'principalId=[ad sp]']),
      );
      expect(template.match(/^param /gm)).toHaveLength(1);
      expect(template).toContain("name: 'contoso'");
      expect(template.split('{').length).toBe(template.split('}').length);
    }
  });
});

describe('instructions for an app of the company’s own', () => {
  const own = adminInstructions({ ...PLACE, isOwnApp: true });
  const of = (id: Instruction['id']): Instruction => own.find((instruction) => instruction.id === id)!;

  it('are the app and its secret in place of a consent, and then the same grants', () => {
    expect(own.map(({ id }) => id)).toEqual(['app-registration', 'client-secret', ...all.slice(1).map(({ id }) => id)]);
    expect(JSON.stringify(own)).not.toMatch(/<[a-z-]+>|undefined|YOUR_|\.\.\.|…/i);
  });

  it('look for the app in its tenant, and give it its service principal', () => {
    expect(azCalls(of('app-registration').azureCli)).toEqual([
      ['login', '--tenant', PLACE.tenantId],
      ['ad', 'app', 'show', '--id', PLACE.appId, '--query', '{name:displayName, audience:signInAudience}'],
      ['ad', 'sp', 'create', '--id', PLACE.appId],
    ]);
  });

  it('make a secret beside those that there are, with an end, of which only the value is printed', () => {
    const [made, listed] = azCalls(of('client-secret').azureCli);
    expect(made).toEqual(expect.arrayContaining(['reset', '--append', '--end-date', '--query', 'password']));
    expect(made?.[made.indexOf('--end-date') + 1]).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(listed).toEqual(expect.arrayContaining(['list', '--id', PLACE.appId]));
    expect(of('client-secret').bicep).toBeUndefined();
  });
});

describe('instructions for a key that the vendor hosts', () => {
  const hosted = hostedInstructions(PLACE);
  const MANAGER = '55555555-0000-4000-8000-000000000005';
  const of = (id: Instruction['id']): Instruction => hosted.find((instruction) => instruction.id === id)!;
  const set = `KEY_MANAGER_APP_ID=${MANAGER}\nRESOURCE_GROUP=hosted-keys\n`;

  it('are the vault, its key manager, the role of the own identity, and how the company takes access away', () => {
    expect(hosted.map(({ id }) => id)).toEqual(['vault', 'key-manager', 'role', 'take-away']);
    expect(JSON.stringify(hosted)).not.toMatch(/<[a-z-]+>|undefined|YOUR_|…/i);
  });

  it('make a vault with roles and purge protection', () => {
    expect(azCalls(set + of('vault').azureCli)).toEqual([
      expect.arrayContaining(['create', '--name', 'contoso', '--resource-group', 'hosted-keys', '--sku', 'premium']),
    ]);
    expect(of('vault').azureCli).toContain('--enable-purge-protection true');
    expect(of('vault').bicep?.template).toContain('enablePurgeProtection: true');
  });

  it('let the key manager into that vault alone, as Crypto Officer', () => {
    for (const script of [of('key-manager').azureCli, of('key-manager').bicep!.deploy])
      expect(azCalls(set + script)).toContainEqual(expect.arrayContaining(['--id', MANAGER]));
    expect(azCalls(set + of('key-manager').azureCli).at(-1)).toEqual([
      'role',
      'assignment',
      'create',
      '--assignee-object-id',
      '[ad sp]',
      '--assignee-principal-type',
      'ServicePrincipal',
      '--role',
      '14b46e9e-c2b7-41b4-b07b-48a6ebf60603',
      '--scope',
      '[keyvault show]',
    ]);
    expect(of('key-manager').bicep?.template).toMatch(/^ {2}scope: vault$/m);
  });

  it('say what is to be set where only the company or the vendor knows it', () => {
    for (const [id, variable] of [
      ['vault', 'RESOURCE_GROUP'],
      ['key-manager', 'KEY_MANAGER_APP_ID'],
    ] as const)
      expect(() => execFileSync('bash', ['-c', `az() { :; }\n${of(id).azureCli}`], { stdio: 'pipe' })).toThrow(
        new RegExp(`${variable}: set it to`),
      );
  });

  it('take access away by disabling every version', () => {
    expect(azCalls(of('take-away').azureCli).map(([, , verb]) => verb)).toEqual([
      'list-versions',
      'set-attributes',
      'set-attributes',
    ]);
    expect(of('role').azureCli).toContain('e147488a-f6f5-4113-8e2d-b22465e65bf6');
  });
});
