// App registrations of customers, each in its own tenant, with client secrets: what Entra says of a secret that the product really opens.
import { createSecretKey } from 'node:crypto';
import { placeOfClientSecret } from '../../shared/domain/client-secret.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Credential } from '../../shared/domain/provider.ts';
import { decryptSecret } from '../../shared/domain/sealed-secret.ts';
import { failure } from '../../shared/failures.ts';

type Peek = (keyId: string, ciphertext: string) => Uint8Array | undefined;

export class FakeApps {
  readonly #apps = new Map<string, { readonly tenantId: string; readonly secrets: Map<string, 'good' | 'expired'> }>();
  /** What was shown to Entra, in order. */
  readonly shown: string[] = [];

  put(app: { readonly clientId: string; readonly tenantId: string; readonly secrets: readonly string[] }): void {
    const secrets = new Map(app.secrets.map((value) => [value, 'good' as const]));
    this.#apps.set(app.clientId, { tenantId: app.tenantId, secrets });
  }

  remove(clientId: string): void {
    this.#apps.delete(clientId);
  }

  expire(clientId: string, value: string): void {
    this.#apps.get(clientId)?.secrets.set(value, 'expired');
  }

  /** Of more secrets than one, the first that is taken. */
  withoutToken({ clientId, secrets = [] }: Credential, tenantId: string, peek: Peek): Failure | undefined {
    const facts = { tenantId, appId: clientId };
    const app = this.#apps.get(clientId);
    if (app?.tenantId !== tenantId) return failure('client-app-missing', facts);
    let first: Failure | undefined;
    for (const secret of secrets) {
      const key = peek(secret.keyId, secret.ciphertext);
      if (!key) return failure('client-secret-unavailable', facts);
      const place = placeOfClientSecret(secret, { tenantId, clientId });
      const value = decryptSecret({ key: createSecretKey(key), place, blob: secret.blob })?.toString();
      if (value === undefined) return failure('row-forged');
      this.shown.push(value);
      const state = app.secrets.get(value);
      if (state === 'good') return undefined;
      first ??= failure(state === 'expired' ? 'client-secret-expired' : 'client-secret-wrong', facts);
    }
    return first ?? failure('client-secret-unavailable', facts);
  }
}
