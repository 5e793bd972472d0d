// A token as Table Storage takes it, unsigned: the service under test looks at its claims only.
import type { TokenCredential } from '@azure/identity';

export function storageCredential(claims: Readonly<Record<string, unknown>> = {}): TokenCredential {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/7e5d0000-0000-4000-8000-000000000001/',
    iat: now,
    nbf: now - 60,
    exp: now + 3600,
    ...claims,
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.${part('unsigned')}`;
  return { getToken: () => Promise.resolve({ token, expiresOnTimestamp: (now + 3600) * 1000 }) };
}
