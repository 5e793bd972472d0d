// Examples of connections, of their tests and of their health, of the same story as the others (examples.ts).
import { failureExample } from './error-examples.ts';

const AT = '2026-11-30T08:00:00.000Z';
const TENANT = '6c9d1d5e-3f7a-4b2c-8e10-5a7b9c3d1e2f';
const CLIENT = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';

const HEALTHY = { state: 'healthy', since: AT, checkedAt: AT, lastGoodAt: AT, repeats: 0, warnings: [] };

export const CONNECTION_EXAMPLES: Readonly<Record<string, unknown>> = {
  ConnectionInput: {
    vaultUri: 'https://contoso.vault.azure.net',
    keyName: 'keyswitch',
    credential: { kind: 'federated' },
  },
  Connection: {
    connectionId: 'main',
    vaultUri: 'https://contoso.vault.azure.net',
    keyName: 'keyswitch',
    tenantId: TENANT,
    credential: { kind: 'federated', clientId: CLIENT },
    usedBy: ['keyrings/default'],
    createdAt: AT,
    consentedAt: AT,
    keySeen: true,
  },
  ConnectionTestInput: { roleAssigned: true },
  ConnectionTest: {
    status: 'failed',
    checks: [
      { check: 'input', outcome: 'passed' },
      { check: 'consent', outcome: 'failed', failure: failureExample },
    ],
    testedAt: AT,
    tenantId: TENANT,
  },
  VaultHealth: HEALTHY,
  HealthReport: { current: HEALTHY, history: [HEALTHY] },
  Instructions: {
    instructions: [
      {
        id: 'service-principal',
        title: 'Install the app in your tenant',
        explanation: 'It is known there by its application id.',
        azureCli: `az ad sp create --id ${CLIENT}`,
        powerShell: `New-AzADServicePrincipal -ApplicationId ${CLIENT}`,
        portal: ['Open the link that your vendor sent, and consent.'],
      },
    ],
  },
  SignInLink: {
    link: 'https://keyswitch.example/consent/links/contoso~kX2v9QbL7sT4wN1cR8mZ5yF3hJ6gD0aEuPiOqWxYtVs',
    expiresAt: AT,
  },
};
