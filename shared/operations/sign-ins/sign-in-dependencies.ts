// What the steps of a sign-in need of the world, and how each of them refuses. Types only.
import type { Refusal } from '../../domain/refusal.ts';
import type { Recording } from '../../store/record-event.ts';
import type { ConnectionProbe } from '../../providers/provider.ts';
import type { SignIns } from '../../identity/identity.ts';
import type { Verifying } from '../switches/verify-tenant.ts';
import type { Asked } from './asked.ts';

export interface SignInDependencies extends Recording, Verifying {
  readonly tables: Recording['tables'];
  readonly signIns: SignIns;
  readonly probe: Pick<ConnectionProbe, 'obtainToken' | 'challengedTenant'>;
  readonly signInTimes: {
    /** How long a link can be opened. */
    readonly linkMs: number;
    /** How long each step of a sign-in may take. */
    readonly stepMs: number;
  };
}

/** Why a step is refused, and what it was about, as far as that is known. */
export interface SignInRefusal {
  readonly refusal: Refusal;
  readonly asked?: Asked;
}

/** What a browser brings along. */
export interface FromBrowser {
  /** What its sign-in cookie carries. */
  readonly cookie: string | undefined;
  /** It says that another site's page sent this. */
  readonly isCrossSite: boolean;
}
