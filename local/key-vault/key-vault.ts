// Key Vault of the embedded run: HTTPS for any number of vaults, told apart by the Host name. Starts empty; vaults, keys
// and grants come through the control API.
import { Control } from '../control/control.ts';
import { HANDSHAKE, listenHttp } from '../http/emulator-http.ts';
import { openSnapshot } from '../state/snapshot.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { BearerTokens, type TokenKeys } from './bearer-token.ts';
import { addVaultCalls } from './vault-control.ts';
import { KEY_OPERATIONS } from './key-operations.ts';
import { understandVault } from './vault-routes.ts';
import { Vaults, type KeptVaults } from './vaults.ts';

export interface KeyVaultEmulator {
  readonly port: number;
  readonly control: Control;
  readonly controlUrl: string;
  close(): Promise<void>;
}

export async function startKeyVault(options: {
  readonly tls: TlsIdentity;
  /** The public keys of whoever signs tokens: a JWKS, its URL, or a function that answers it. */
  readonly tokenKeys: TokenKeys;
  /** Where the vaults are kept from run to run; in memory only when left out. */
  readonly stateFile?: string | undefined;
}): Promise<KeyVaultEmulator> {
  const control = new Control([HANDSHAKE, 'challenge', ...Object.keys(KEY_OPERATIONS), 'unknown']);
  const kept = openSnapshot<KeptVaults>(options.stateFile);
  const vaults = new Vaults(kept.found);
  control.onChange = () => kept.save(vaults.kept());
  control.onChange();
  const understand = understandVault({ vaults, tokens: new BearerTokens(options.tokenKeys) });
  const http = await listenHttp({ tls: options.tls, control, understand });
  addVaultCalls(control, { vaults, disconnect: http.disconnect });
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
