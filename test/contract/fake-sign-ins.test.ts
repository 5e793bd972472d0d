import { randomUUID } from 'node:crypto';
import { GLOBAL_ADMINISTRATOR } from '../../shared/identity/entra/admin.ts';
import { systemClock } from '../../shared/adapters/system.ts';
import { FakeSignIns } from '../fakes/fake-sign-ins.ts';
import { describeSignIns } from './sign-ins-contract.ts';

const signIns = new FakeSignIns(systemClock);
const sofia = { subject: '1', email: 's@acme.example', domain: 'acme.example', isDelegatedAdmin: false };
const workspace = { customerId: 'C03abc123', isDomainProved: true };

describeSignIns(() => ({
  signIns,
  request: () => ({
    redirectUri: 'https://keyswitch.example/consent/callback',
    state: randomUUID(),
    nonce: randomUUID(),
    codeVerifier: randomUUID().repeat(2),
  }),
  tenantOfAdmin: () => Promise.resolve(randomUUID()),
  backFromMicrosoft: (address, tenantId) => {
    const grace = { tenantId, objectId: randomUUID(), displayName: 'Grace', roleTemplateIds: [GLOBAL_ADMINISTRATOR] };
    return Promise.resolve(signIns.signIn(address, { service: 'microsoft', person: grace }));
  },
  backFromGoogle: (address) =>
    Promise.resolve(
      signIns.signIn(address, { service: 'google', person: { ...sofia, isSuperAdmin: true, workspace } }),
    ),
}));
