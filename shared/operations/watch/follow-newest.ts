// After a look that found a newer version of a customer's key: it takes the place of those in use, in every keyring under the connection.
import { KEYSWITCH } from '../../domain/audit.ts';
import { refOfConnection, type Connection } from '../../domain/connection.ts';
import { mayPass, type Failure } from '../../domain/failure.ts';
import type { Look } from '../../domain/health.ts';
import { present } from '../../domain/plain-object.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { keyringOfUser } from '../../store/connection-use.ts';
import type { LookInUse, NewerVersion } from '../keys/look-in-use.ts';
import { followKeyVersion, type Following } from './follow-key-version.ts';

interface Place {
  readonly companyId: string;
  readonly connection: Connection;
  readonly target: KeyTarget;
}

interface Behind {
  readonly keyringId: string;
  /** Absent where others were at work on the keyring, or the time was up. */
  readonly failure?: Failure;
}

/** No keyring is begun after so long: a vault that is slow holds up no other check. The next look goes on. */
const FOLLOWING_MS = 20_000;
const MAX_NAMED = 5;

/** The look as it is then. What a keyring that has not followed has wrapped still opens: the others follow, and the next look tries it again. */
export async function followNewest(deps: Following, place: Place, { newer, ...look }: LookInUse): Promise<Look> {
  if (!newer || look.outcome === 'failed') return look;
  const { keyId, dates, warnings } = newer.newest;
  const { behind, followed } = await followAll(deps, place, newer);
  const inUse = { keyId, ...dates };
  if (behind.length === 0) return { outcome: 'good', warnings, keyVersions: [inUse] };
  const keyVersions = [...(followed > 0 ? [inUse] : []), ...(look.keyVersions ?? [])];
  const lasting = behind.filter(({ failure }) => failure && !mayPass(failure));
  const why = lasting[0]?.failure?.message;
  if (why === undefined) return { ...look, keyVersions };
  const notFollowed = deps.providers.of(place.target.ref).notFollowed(place.target, `${namesOf(lasting)}: ${why}`);
  return { ...look, keyVersions, warnings: [notFollowed, ...look.warnings] };
}

async function followAll(
  deps: Following,
  { companyId, connection }: Place,
  newer: NewerVersion,
): Promise<{ readonly behind: readonly Behind[]; readonly followed: number }> {
  const { keyId } = newer.newest;
  const endMs = deps.clock.steadyMs() + FOLLOWING_MS;
  const behind: Behind[] = [];
  let followed = 0;
  for (const user of connection.usedBy) {
    const place = keyringOfUser(companyId, user);
    if (!place) continue;
    const isLate = deps.clock.steadyMs() >= endMs;
    const follow = { ...place, ref: refOfConnection(connection), found: newer };
    const done = isLate ? undefined : await followKeyVersion(deps, follow, KEYSWITCH);
    if (done?.ok) {
      followed += 1;
      continue;
    }
    const failure = done?.error.type === 'failure' ? done.error.failure : undefined;
    const detail = { ...place, keyId, code: failure?.code ?? done?.error.type ?? 'out-of-time' };
    deps.log.write({ level: 'warning', event: 'key-version.not-followed', detail });
    behind.push({ keyringId: place.keyringId, ...present({ failure }) });
    if (isLate) break;
  }
  return { behind, followed };
}

function namesOf(behind: readonly Behind[]): string {
  const named = behind.slice(0, MAX_NAMED).map(({ keyringId }) => keyringId);
  const more = behind.length - named.length;
  const all = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return behind.length === 1 ? `Keyring ${all}` : `Keyrings ${all}`;
}
