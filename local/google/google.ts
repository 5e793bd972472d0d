// Google of the embedded run: HTTPS for accounts, tokens, keys and the directory of Workspace domains. Starts with the
// vendor's OAuth client and without anybody's domain.
import * as z from 'zod';
import { Control } from '../control/control.ts';
import { named, RoutePatterns } from '../control/route-patterns.ts';
import { TokenSigner, type SigningKey } from '../entra/token-signer.ts';
import { HANDSHAKE, listenHttp } from '../http/emulator-http.ts';
import { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, VENDOR_NAME } from '../identities.ts';
import { BrowserSessions } from '../oidc/browser-sessions.ts';
import { PlannedTokens } from '../oidc/planned-tokens.ts';
import { ShortLived } from '../oidc/short-lived.ts';
import { openSnapshot } from '../state/snapshot.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { GOOGLE_OPERATIONS, understandGoogle } from './google-routes.ts';
import { Accounts, type KeptAccounts } from './model.ts';
import type { GoogleState } from './state.ts';

export interface GoogleEmulator {
  readonly port: number;
  readonly control: Control;
  readonly controlUrl: string;
  close(): Promise<void>;
}

const TOKEN_LIFETIME_SECONDS = 3_599;
const CODE_LIFETIME_SECONDS = 600;

const userBody = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  isAdmin: z.boolean().optional(),
  isDelegatedAdmin: z.boolean().optional(),
});
const workspaceBody = z.strictObject({
  customerId: z.string().min(1).optional(),
  isVerified: z.boolean().optional(),
});
const clientBody = z.strictObject({ name: z.string().default('app'), secret: z.string().min(1) });
const redirectBody = z.strictObject({ redirectUri: z.url() });
const claimsBody = z.strictObject({ sessionAge: z.boolean() });
const ageBody = z.strictObject({ seconds: z.number().int().positive() });
const rotateBody = z.strictObject({ forget: z.boolean().default(false) });
const settingsBody = z.strictObject({
  tokenLifetimeSeconds: z.number().int().positive().optional(),
  codeLifetimeSeconds: z.number().int().min(0).optional(),
});

/** What people and scripts have made; who is half-way through a sign-in begins anew. */
interface KeptGoogle {
  readonly accounts: KeptAccounts;
  readonly signingKeys: readonly SigningKey[];
  readonly settings: GoogleState['settings'];
}

export async function startGoogle(options: {
  readonly tls: TlsIdentity;
  /** Where it is kept from run to run; in memory only when left out. */
  readonly stateFile?: string | undefined;
}): Promise<GoogleEmulator> {
  const control = new Control([HANDSHAKE, ...GOOGLE_OPERATIONS]);
  const kept = openSnapshot<KeptGoogle>(options.stateFile);
  const signer = await TokenSigner.create(kept.found?.signingKeys);
  const state: GoogleState = {
    accounts: new Accounts(kept.found?.accounts),
    signer,
    idTokens: new PlannedTokens(signer),
    requests: new ShortLived(),
    codes: new ShortLived(),
    accessTokens: new ShortLived(),
    sessions: new BrowserSessions('SID'),
    settings: kept.found?.settings ?? {
      tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
      codeLifetimeSeconds: CODE_LIFETIME_SECONDS,
    },
  };
  state.accounts.putClient({ clientId: GOOGLE_CLIENT_ID, name: VENDOR_NAME, secret: GOOGLE_CLIENT_SECRET });
  control.onChange = () => {
    kept.save({ accounts: state.accounts.kept(), signingKeys: signer.kept(), settings: state.settings });
  };
  control.onChange();
  addCalls(new RoutePatterns(control), state);
  const http = await listenHttp({ tls: options.tls, control, understand: understandGoogle(state) });
  return {
    port: http.port,
    control,
    controlUrl: await control.listen(),
    close: async () => {
      await http.close();
      await control.close();
      kept.close();
    },
  };
}

function addCalls(routes: RoutePatterns, { accounts, idTokens, signer, settings, sessions }: GoogleState): void {
  routes
    .withBody('PUT /domains/:domain', workspaceBody, (body, names) =>
      accounts.putWorkspace(named(names, 'domain'), body),
    )
    .withBody('PUT /users/:email', userBody, (body, names) => accounts.putUser(named(names, 'email'), body))
    .on('DELETE /users/:email', (names) => ({ removed: accounts.removeUser(named(names, 'email')) }))
    .withBody('PUT /clients/:client', clientBody, (body, names) => {
      accounts.putClient({ clientId: named(names, 'client'), ...body });
    })
    .withBody('POST /clients/:client/redirect-uris', redirectBody, ({ redirectUri }, names) => {
      accounts.client(named(names, 'client')).redirectUris.add(redirectUri);
    })
    .on('GET /clients/:client/redirect-uris', (names) => [...accounts.client(named(names, 'client')).redirectUris])
    .on('DELETE /clients/:client/redirect-uris', (names) =>
      accounts.client(named(names, 'client')).redirectUris.clear(),
    )
    .withBody('PATCH /clients/:client/claims', claimsBody, ({ sessionAge }, names) => {
      accounts.client(named(names, 'client')).tellsSessionAge = sessionAge;
    })
    .withBody('POST /sessions/age', ageBody, ({ seconds }) => sessions.age(seconds))
    .on('GET /jwks', () => signer.jwks)
    .withBody('POST /signing-keys/rotate', rotateBody, (body) => signer.rotate(body))
    .withBody('PATCH /settings', settingsBody, (body) => {
      Object.assign(settings, body);
    });
  idTokens.addCalls(routes);
}
