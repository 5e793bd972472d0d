// The suite over the adapter, with openid-client and the emulators of Entra and Google.
import { afterAll, beforeAll } from 'vitest';
import { GLOBAL_ADMINISTRATOR } from '../../shared/identity/entra/admin.ts';
import type { SignInClients } from '../../shared/identity/registry/tenant-kinds.ts';
import { SignInWorld } from '../adapters/sign-in-world.ts';
import { describeSignIns } from './sign-ins-contract.ts';

const SOFIA = 'sofia@acme.example';
const graces = new Map<string, string>();
let world: SignInWorld;
let signIns: SignInClients;

beforeAll(async () => {
  world = await SignInWorld.start();
  signIns = world.signIns();
  await world.google('PUT', '/domains/acme.example');
  await world.google('PUT', `/users/${SOFIA}`, { isAdmin: true });
});
afterAll(() => world.close());

describeSignIns(() => ({
  signIns,
  request: () => world.request(),
  tenantOfAdmin: async () => {
    const { tenantId, grace } = await world.tenant([GLOBAL_ADMINISTRATOR]);
    graces.set(tenantId, grace);
    return tenantId;
  },
  backFromMicrosoft: (address, tenantId) =>
    world.comeBack(address, { provider: 'microsoft', userName: graces.get(tenantId) ?? '' }),
  backFromGoogle: (address) => world.comeBack(address, { provider: 'google', userName: SOFIA }),
}));
