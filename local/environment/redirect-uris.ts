// Where people come back to after a sign-in: the callback of every host that is up, registered at Entra and at Google as
// the vendor would do it once for its public address.
import type { RemoteControl } from '../control/remote-control.ts';
import { CONNECTOR_APP_ID, GOOGLE_CLIENT_ID } from '../identities.ts';

interface Controls {
  readonly entra: RemoteControl;
  readonly google: RemoteControl;
}

const CALLBACK_PATH = '/consent/callback';

export async function forgetCallbacks({ entra, google }: Controls): Promise<void> {
  await Promise.all([
    entra.call('DELETE', `/apps/${CONNECTOR_APP_ID}/redirect-uris`),
    google.call('DELETE', `/clients/${GOOGLE_CLIENT_ID}/redirect-uris`),
  ]);
}

export async function registerCallback({ entra, google }: Controls, origin: string): Promise<void> {
  const redirectUri = `${origin}${CALLBACK_PATH}`;
  await Promise.all([
    entra.call('POST', `/apps/${CONNECTOR_APP_ID}/redirect-uris`, { redirectUri }),
    google.call('POST', `/clients/${GOOGLE_CLIENT_ID}/redirect-uris`, { redirectUri }),
  ]);
}
