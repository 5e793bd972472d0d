// What a link asks for, as it stands now. Whoever says yes says it to exactly what stood on the page: once that has changed, the link is
// void. Reads only, and consumes nothing.
import { createHash } from 'node:crypto';
import { targetOfConnection, type Connection } from '../../domain/connection.ts';
import { failure } from '../../domain/failure-catalogue.ts';
import type { Company } from '../../domain/keyring.ts';
import { lengthPrefixed } from '../../domain/length-prefixed.ts';
import type { VaultTarget } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { linkRowKey } from '../../domain/rows/row-keys.ts';
import { readLink, type SignInLink } from '../../domain/rows/sign-in-rows.ts';
import { loadCompany, type Loaded } from '../control-state.ts';
import type { Clock, Tables } from '../ports.ts';
import type { SealCheck } from '../seals.ts';
import { loadConnection } from '../verified-connection.ts';

export interface Asked {
  readonly company: Company;
  /** Hash of the link's ticket. */
  readonly linkHash: string;
  readonly link: Loaded<SignInLink>;
  readonly connection: Loaded<Connection>;
  readonly target: VaultTarget;
}

interface Asking extends SealCheck {
  readonly tables: Pick<Tables, 'read'>;
  readonly clock: Clock;
}

/** `link-unknown`, `link-done`, or `link-expired` if its time is over or what it asked for is another thing now. */
export async function loadAsked(
  deps: Asking,
  place: { readonly companyId: string; readonly linkHash: string },
): Promise<Result<Asked, Refusal>> {
  const { companyId, linkHash } = place;
  const [company, row] = await Promise.all([
    loadCompany(deps.tables, companyId),
    deps.tables.read('companies', companyId, linkRowKey(linkHash)),
  ]);
  if (company?.value.state !== 'active' || !row) return err(refusedBy(failure('link-unknown')));
  const link = { value: readLink(row.cells), etag: row.etag };
  if (link.value.doneAt !== undefined) return err(refusedBy(failure('link-done')));
  if (deps.clock.now() >= new Date(link.value.expiresAt)) return err(refusedBy(failure('link-expired')));
  const { connectionId } = link.value.subject;
  const connection = await loadConnection(deps, { companyId, connectionId });
  if (!connection.ok) return err(refusedBy(connection.error));
  const target = connection.value && targetOfConnection(connection.value.value);
  if (!connection.value || !target || digestOf(connection.value.value) !== link.value.about) {
    return err(refusedBy(failure('link-expired', { detail: 'the connection has been changed since' })));
  }
  return ok({ company: company.value, linkHash, link, connection: connection.value, target });
}

/** Everything that the page names of a connection, and that a consent is bound to. */
export const digestOf = ({ connectionId, host, keyName, tenantId, credential }: Connection): string =>
  createHash('sha256')
    .update(lengthPrefixed([connectionId, host, keyName, tenantId ?? '', credential.kind, credential.clientId]))
    .digest('hex');
