// docs/connections.md against the instructions that the API gives: the kinds, which step there is for each and in which tools, and every command for a
// client secret, word for word.
import { describe, expect, it } from 'vitest';
import { CLIENT_SECRET, FEDERATED, VENDOR_HOSTED } from '../../shared/identity/entra/credential-kinds.ts';
import { hostedInstructions } from '../../shared/providers/azure-key-vault/hosted-instructions.ts';
import { adminInstructions } from '../../shared/providers/azure-key-vault/instructions.ts';
import type { Instruction } from '../../shared/providers/provider.ts';
import { readPage, sections, tableRows } from './markdown.ts';

const PLACE = {
  host: 'contoso-keys.vault.azure.net',
  keyName: 'keyswitch',
  appId: 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d',
  tenantId: '6c9d1d5e-3f7a-4b2c-8e10-5a7b9c3d1e2f',
};
const KINDS: Readonly<Record<string, readonly Instruction[]>> = {
  [FEDERATED]: adminInstructions(PLACE),
  [CLIENT_SECRET]: adminInstructions({ ...PLACE, isOwnApp: true }),
  [VENDOR_HOSTED]: hostedInstructions(PLACE),
};

const page = readPage('docs/connections.md');
const bodyOf = (title: string): string => sections(page, 2).find((section) => section.title === title)?.body ?? '';

const tools = ({ azureCli, powerShell, portal, bicep }: Instruction): string =>
  [azureCli && 'CLI', powerShell && 'PowerShell', portal.length > 0 && 'portal', bicep && 'Bicep']
    .filter(Boolean)
    .join(', ');

/** Of each fenced block its language and text. */
const blocks = (body: string): string[] =>
  [...body.matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm)].map(([, language = '', text = '']) => `${language}\n${text}`);

describe('docs/connections.md', () => {
  it('names every kind of connection', () => {
    const head = bodyOf('Kinds')
      .split('\n')
      .find((line) => line.startsWith('|'));
    const named = [...(head ?? '').matchAll(/`([\w-]+)`/g)].map(([, kind]) => kind);
    expect(named).toEqual(Object.keys(KINDS));
  });

  it('lists the steps of each kind, and in which tools each can be done', () => {
    const listed = tableRows(bodyOf('What an administrator does')).map((cells) => cells.join(' | '));
    const given = Object.entries(KINDS).flatMap(([kind, steps]) =>
      steps.map((step) => `\`${kind}\` | \`${step.id}\` | ${step.title} | ${tools(step)}`),
    );
    expect(listed).toEqual(given);
  });

  it.each(KINDS[CLIENT_SECRET]!.slice(0, 3))('has the commands of the step $id as the API gives them', (step) => {
    // Not by headings: a comment in a script looks like one.
    const body = page.split(`\n### ${step.title}\n`)[1]?.split('\n### ')[0] ?? '';
    expect(blocks(body)).toEqual([
      `sh\n${step.azureCli}`,
      `powershell\n${step.powerShell}`,
      ...(step.bicep ? [`bicep\n${step.bicep.template.trimEnd()}`, `sh\n${step.bicep.deploy}`] : []),
    ]);
    for (const [index, line] of step.portal.entries()) expect(body).toContain(`${index + 1}. ${line}`);
  });
});
