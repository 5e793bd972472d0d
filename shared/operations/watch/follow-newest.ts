// After a look that found a newer version of a customer's key: it takes the place of those in use, in every keyring under the connection.
import { KEYSWITCH } from '../../domain/audit.ts';
import { refOfConnection, type Connection } from '../../domain/connection.ts';
import { mayPass } from '../../domain/failure.ts';
import type { Look } from '../../domain/health.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { keyringOfUser } from '../../store/connection-use.ts';
import type { LookInUse } from '../keys/look-in-use.ts';
import { followKeyVersion, type Following } from './follow-key-version.ts';

/** The look as it is then. Where a keyring did not follow, what it has wrapped still opens: the next look tries again. */
export async function followNewest(
  deps: Following,
  {
    companyId,
    connection,
    target,
  }: { readonly companyId: string; readonly connection: Connection; readonly target: KeyTarget },
  { newer, ...look }: LookInUse,
): Promise<Look> {
  if (!newer || look.outcome === 'failed') return look;
  const { keyId, dates, warnings } = newer.newest;
  for (const user of connection.usedBy) {
    const place = keyringOfUser(companyId, user);
    if (!place) continue;
    const follow = { ...place, ref: refOfConnection(connection), found: newer };
    const followed = await followKeyVersion(deps, follow, KEYSWITCH);
    if (followed.ok) continue;
    const failure = followed.error.type === 'failure' ? followed.error.failure : undefined;
    const detail = { ...place, keyId, code: failure?.code ?? followed.error.type };
    deps.log.write({ level: 'warning', event: 'key-version.not-followed', detail });
    if (!failure || mayPass(failure)) return look;
    const notFollowed = deps.providers.of(target.ref).notFollowed(target, failure.message);
    return { ...look, warnings: [notFollowed, ...look.warnings] };
  }
  return { outcome: 'good', warnings, keyVersions: [{ keyId, ...dates }] };
}
