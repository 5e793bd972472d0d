// Entra ID of the embedded run: HTTPS for login.microsoftonline.com and login.windows.net, any number of tenants.
// Starts with the vendor's tenant, its API app and its connector app with the federated credential, and no secret.
import { Control } from '../control/control.ts';
import { RoutePatterns } from '../control/route-patterns.ts';
import { HANDSHAKE, listenHttp } from '../http/emulator-http.ts';
import {
  API_APP_ID,
  CONNECTOR_APP_ID,
  FEDERATION_AUDIENCE,
  issuerV2,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  VENDOR_NAME,
  VENDOR_TENANT_ID,
} from '../identities.ts';
import { BrowserSessions } from '../oidc/browser-sessions.ts';
import { PlannedTokens } from '../oidc/planned-tokens.ts';
import { ShortLived } from '../oidc/short-lived.ts';
import { openSnapshot } from '../state/snapshot.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { Directory, type KeptDirectory } from './directory.ts';
import { addEntraCalls, mintApiToken, type ApiTokenOptions } from './entra-control.ts';
import { ENTRA_OPERATIONS, understandEntra, type EntraState } from './entra-routes.ts';
import { addPeopleCalls } from './people-control.ts';
import { TokenSigner, type SigningKey } from './token-signer.ts';

const TOKEN_LIFETIME_SECONDS = 3_599;
const CODE_LIFETIME_SECONDS = 600;

export interface EntraEmulator {
  readonly port: number;
  readonly control: Control;
  readonly controlUrl: string;
  readonly directory: Directory;
  /** Share it with the managed-identity emulator, whose assertions Entra must recognise. */
  readonly signer: TokenSigner;
  mintApiToken(options: ApiTokenOptions): string;
  close(): Promise<void>;
}

/** What people and scripts have made; who is half-way through a sign-in begins anew. */
interface KeptEntra {
  readonly directory: KeptDirectory;
  readonly signingKeys: readonly SigningKey[];
  readonly settings: EntraState['settings'];
}

export async function startEntra(options: {
  readonly tls: TlsIdentity;
  /** Where it is kept from run to run; in memory only when left out. */
  readonly stateFile?: string | undefined;
}): Promise<EntraEmulator> {
  const control = new Control([HANDSHAKE, ...ENTRA_OPERATIONS]);
  const kept = openSnapshot<KeptEntra>(options.stateFile);
  const signer = await TokenSigner.create(kept.found?.signingKeys);
  const state: EntraState = {
    directory: kept.found ? new Directory(kept.found.directory) : vendorDirectory(),
    signer,
    idTokens: new PlannedTokens(signer),
    settings: kept.found?.settings ?? {
      tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
      codeLifetimeSeconds: CODE_LIFETIME_SECONDS,
    },
    errands: new ShortLived(),
    codes: new ShortLived(),
    sessions: new BrowserSessions('ESTSAUTH'),
  };
  control.onChange = () => {
    kept.save({ directory: state.directory.kept(), signingKeys: signer.kept(), settings: state.settings });
  };
  control.onChange();
  const routes = new RoutePatterns(control);
  addEntraCalls(routes, state);
  addPeopleCalls(routes, state);
  const http = await listenHttp({ tls: options.tls, control, understand: understandEntra(state) });
  return {
    port: http.port,
    control,
    controlUrl: await control.listen(),
    directory: state.directory,
    signer: state.signer,
    mintApiToken: (token) => mintApiToken(state, token),
    close: async () => {
      await http.close();
      await control.close();
      kept.close();
    },
  };
}

function vendorDirectory(): Directory {
  const directory = new Directory();
  const homeTenantId = VENDOR_TENANT_ID;
  directory.addTenant({ tenantId: homeTenantId, displayName: 'Vendor', domains: ['vendor.onmicrosoft.com'] });
  directory.putApp({ appId: API_APP_ID, displayName: 'Keyswitch API', homeTenantId, multiTenant: false });
  directory.putApp({ appId: CONNECTOR_APP_ID, displayName: VENDOR_NAME, homeTenantId, multiTenant: true });
  Object.assign(directory.app(CONNECTOR_APP_ID), {
    groupMembershipClaims: 'DirectoryRole',
    optionalIdTokenClaims: ['auth_time'],
  });
  directory.putFederatedCredential(CONNECTOR_APP_ID, {
    name: 'keyswitch-functions',
    issuer: issuerV2(VENDOR_TENANT_ID),
    subject: MANAGED_IDENTITY_PRINCIPAL_ID,
    audience: FEDERATION_AUDIENCE,
    effectiveAtMs: 0,
  });
  return directory;
}
