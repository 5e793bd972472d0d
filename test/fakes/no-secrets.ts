// Where no client secret is stored: none is opened.
import { failure } from '../../shared/failures.ts';
import { err } from '../../shared/domain/result.ts';
import type { OpenSecret } from '../../shared/identity/entra/credentials/credential.ts';

export const noSecrets: OpenSecret = () => Promise.resolve(err(failure('client-secret-unavailable')));
