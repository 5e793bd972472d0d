// Every failure of Entra ID: its codes, and what makes them.
import { catalogue } from '../../../domain/failure-catalogue.ts';
import { IDENTITY_FAILURES } from '../../failures.ts';
import { APP_FAILURES } from './app-failures.ts';
import { CONSENT_FAILURES } from './consent-failures.ts';
import { SIGN_IN_FAILURES } from './sign-in-failures.ts';
import { TENANT_FAILURES } from './tenant-failures.ts';
import { TOKEN_FAILURES } from './token-failures.ts';

/** Of tokens for the connector app, by which vaults are reached. */
export const ENTRA_TOKEN_FAILURES = { ...CONSENT_FAILURES, ...APP_FAILURES, ...TENANT_FAILURES, ...TOKEN_FAILURES };
/** Of people who sign in. */
export const ENTRA_SIGN_IN_FAILURES = SIGN_IN_FAILURES;

export const ENTRA_FAILURES = { ...ENTRA_TOKEN_FAILURES, ...ENTRA_SIGN_IN_FAILURES };

declare module '../../../domain/failure.ts' {
  interface FailureAreas {
    readonly entra: typeof ENTRA_FAILURES;
  }
  interface FailureOwners {
    readonly 'azure-admin': true;
  }
  interface FailureFacts {
    /** It was a person's sign-in that was refused and no token of ours: by what the vendor has set up, or by their tenant. */
    readonly signInRefusedBy?: 'vendor' | 'tenant';
  }
  interface Remedy {
    readonly azureCli?: string;
  }
}

const ALL = { ...IDENTITY_FAILURES, ...ENTRA_FAILURES };
export type EntraFailureCode = keyof typeof ALL;

export const { failure } = catalogue(ALL);
