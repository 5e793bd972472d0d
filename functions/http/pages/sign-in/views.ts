// What each page of a sign-in says, as data: the view models. Types only; routes make them, render.ts turns them into HTML. Others wrote every
// text in them, and it may be hostile: pages escape and isolate it.

interface KeyPlace {
  readonly vaultHost: string;
  readonly keyName: string;
  /** The Entra tenant of the vault. */
  readonly tenantId: string;
}

interface Asked {
  readonly company: { readonly id: string; readonly displayName: string };
  /** Who made the link, as recorded. */
  readonly requestedBy: string;
  /** Of the link, ISO 8601. */
  readonly expiresAt: string;
}

/** An administrator lets the connector app into the tenant of a connection's vault. */
export interface ConsentSubject extends Asked {
  readonly purpose: 'consent';
  readonly connectionId: string;
  readonly key: KeyPlace;
  /** Of a vault in force that was moved: the tenant that it belonged to. */
  readonly movedFrom?: string;
  /** Application id of the connector app: names can be copied, this cannot. */
  readonly applicationId: string;
}

/** An administrator of a tenant found in the company's data approves a pending switch or an export. */
export interface VerificationSubject extends Asked {
  readonly purpose: 'verification';
  readonly tenant: {
    readonly kind: string;
    readonly id: string;
    readonly displayName?: string;
  };
  readonly approval: Approval;
}

export type Approval =
  | {
      readonly for: 'switch';
      readonly keyringId: string;
      readonly switchId: string;
      /** Where the key comes to lie that protects the company's data: in the vendor's own vault, in one that the vendor hosts, or in the company's. */
      readonly destination: KeyPlace & { readonly isVendors: boolean; readonly isHosted?: boolean };
    }
  | {
      readonly for: 'export';
      readonly keyringId: string;
      /** Who will be able to open the copy: the holder of the private key to the thumbprint, or people who know a passphrase. */
      readonly recipient:
        { readonly type: 'public-key'; readonly thumbprint: string } | { readonly type: 'passphrase' };
    };

export type Subject = ConsentSubject | VerificationSubject;

export type PageView =
  /** What will happen, and a button to the sign-in. `action` is a path of ours. */
  | { readonly page: 'start'; readonly subject: Subject; readonly action: string }
  /** The second question, after the sign-in. The buttons send `answer`: `confirm` or `decline`, beside the hidden field. */
  | {
      readonly page: 'confirmation';
      readonly subject: Subject;
      readonly action: string;
      readonly person: { readonly displayName: string; readonly id: string };
      readonly field: { readonly name: string; readonly value: string };
    }
  | {
      readonly page: 'consent-granted';
      readonly subject: ConsentSubject;
      /** Object id of the app's service principal in the tenant, from the token that was really acquired. */
      readonly principalId?: string;
      /** The role assignment as a command, filled in. */
      readonly azureCli?: string;
    }
  | { readonly page: 'tenant-verified'; readonly subject: VerificationSubject; readonly tenantsLeft: number }
  | { readonly page: 'declined'; readonly subject: Subject };
