// Entra's control calls for people's sign-in: users and their roles, an app's redirect URIs and manifest, and ID tokens
// that are wrong on purpose.
import * as z from 'zod';
import { named, type RoutePatterns } from '../control/route-patterns.ts';
import type { EntraState } from './entra-routes.ts';
import { putUser } from './users.ts';

const MAX_REDIRECT_URIS = 256;

const userBody = z.strictObject({
  objectId: z.guid().optional(),
  displayName: z.string().optional(),
  roles: z.array(z.guid()).optional(),
  guest: z.boolean().optional(),
  assignedApps: z.array(z.guid()).optional(),
});
const redirectBody = z.strictObject({ redirectUri: z.url() });
const manifestBody = z.strictObject({
  groupMembershipClaims: z.enum(['None', 'SecurityGroup', 'DirectoryRole', 'All']).exactOptional(),
  optionalIdTokenClaims: z.array(z.literal('auth_time')).exactOptional(),
});
const ageBody = z.strictObject({ seconds: z.number().int().positive() });

export function addPeopleCalls(routes: RoutePatterns, { directory, idTokens, sessions }: EntraState): void {
  routes
    .withBody('PUT /tenants/:tenant/users/:user', userBody, (body, names) =>
      putUser(directory.tenant(named(names, 'tenant')), named(names, 'user'), body),
    )
    .on('DELETE /tenants/:tenant/users/:user', (names) => ({
      removed: directory.tenant(named(names, 'tenant')).users.delete(named(names, 'user').toLowerCase()),
    }))
    .withBody('POST /apps/:app/redirect-uris', redirectBody, ({ redirectUri }, names) => {
      const { redirectUris } = directory.app(named(names, 'app'));
      if (redirectUris.size >= MAX_REDIRECT_URIS) throw new Error(`an app has at most ${MAX_REDIRECT_URIS} of them`);
      redirectUris.add(redirectUri);
    })
    .on('GET /apps/:app/redirect-uris', (names) => [...directory.app(named(names, 'app')).redirectUris])
    .on('DELETE /apps/:app/redirect-uris', (names) => directory.app(named(names, 'app')).redirectUris.clear())
    .withBody('PATCH /apps/:app/manifest', manifestBody, (body, names) => {
      Object.assign(directory.app(named(names, 'app')), body);
    })
    .withBody('POST /sessions/age', ageBody, ({ seconds }) => sessions.age(seconds));
  idTokens.addCalls(routes);
}
