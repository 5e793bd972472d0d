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
