// Every failure of a sign-in at Google: its codes, and what makes them.
import { catalogue } from '../../../domain/failure-catalogue.ts';
import { IDENTITY_FAILURES } from '../../failures.ts';
import { SIGN_IN_FAILURES } from './sign-in-failures.ts';
import { WORKSPACE_FAILURES } from './workspace-failures.ts';

export const GOOGLE_FAILURES = { ...SIGN_IN_FAILURES, ...WORKSPACE_FAILURES };

declare module '../../../domain/failure.ts' {
  interface FailureAreas {
    readonly google: typeof GOOGLE_FAILURES;
  }
}

const ALL = { ...IDENTITY_FAILURES, ...GOOGLE_FAILURES };
export type GoogleFailureCode = keyof typeof ALL;

export const { failure } = catalogue(ALL);
