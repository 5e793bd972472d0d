// The way back to the application: parameters added to its redirect URI, as every authorization server does it.
import type { EmulatorReply } from '../http/emulator-http.ts';

/** Parameters that are undefined are left out. */
export function redirectBack(
  redirectUri: string,
  parameters: Readonly<Record<string, string | undefined>>,
  detail: NonNullable<EmulatorReply['detail']> = {},
): EmulatorReply {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.append(name, value);
  }
  return { status: 302, headers: { Location: url.href, 'Cache-Control': 'no-store' }, detail };
}
