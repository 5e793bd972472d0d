// What the demo reads of the API's answers, as a vendor's backend would: from the API's description, not from its sources.

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly kind?: string;
  readonly owner?: string;
  /** While a grant may be on its way. */
  readonly becomesDeniedAt?: string;
  readonly remedy?: { readonly text: string; readonly azureCli?: string };
}

export interface ErrorAnswer {
  readonly error: Failure;
}

export interface ConnectionTest {
  readonly status: 'green' | 'failed' | 'waiting';
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly failure?: Failure }[];
}

export interface DataKeysAnswer {
  readonly keys: readonly {
    readonly outcome: string;
    readonly keyId: string;
    readonly plaintext?: string;
    readonly companyKeyVersion?: number;
    readonly failure?: Failure;
  }[];
}

export interface TenantRef {
  readonly kind: 'microsoft-365' | 'google-workspace';
  readonly tenantId: string;
}

export interface LinkAnswer {
  readonly link: string;
}

export interface SwitchAnswer {
  readonly state: string;
  readonly counts: {
    readonly total: number;
    readonly done: number;
    readonly checked: number;
    readonly quarantined: number;
  };
  readonly ratePerSecond?: number;
  readonly secondsLeft?: number;
  readonly quarantine: readonly { readonly keyId: string; readonly reason: string }[];
  readonly blocked?: { readonly reason: string; readonly failure?: Failure; readonly detail?: string };
  /** Whose administrators have not agreed yet. */
  readonly unverifiedTenants: readonly TenantRef[];
  /** What it stands still for, although nothing failed. */
  readonly waitsFor?: { readonly reason: string };
  readonly createdAt: string;
  readonly endedAt?: string;
}

export interface KeyringAnswer {
  readonly provider: { readonly provider: string; readonly connectionId?: string };
  readonly companyKeyVersion: number;
  readonly switchId?: string;
  readonly counts: { readonly live: number; readonly quarantined: number };
}

export interface HealthAnswer {
  readonly state: string;
  readonly code?: string;
  readonly owner?: string;
}

export interface HealthReportAnswer {
  /** Absent before the first check. */
  readonly current?: HealthAnswer;
}

export interface KeyVersionsAnswer {
  /** Those in use first. */
  readonly versions: readonly {
    readonly keyId: string;
    readonly state: 'in-use' | 'leaving' | 'not-needed';
    readonly keyrings: readonly string[];
  }[];
}

/** The answer that makes it: no other shows what its receiver verifies with. */
export interface WebhookAnswer {
  readonly verifier: string;
}

export interface WebhookTestAnswer {
  readonly status: 'taken' | 'failed';
  readonly failure?: Failure;
}

export interface EventAnswer {
  readonly id: string;
  readonly sequence: number;
  readonly at: string;
  readonly by: string;
  readonly action: string;
  readonly target: string;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

export interface EventsAnswer {
  readonly value: readonly EventAnswer[];
  readonly nextLink?: string;
}

export interface ChainAnswer {
  readonly status: 'intact' | 'broken';
  readonly problems: readonly { readonly code: string; readonly sequence: number }[];
  readonly head: { readonly sequence: number; readonly hash: string };
}
