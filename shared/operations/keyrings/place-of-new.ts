// Under which key a new keyring is made: that of the company's default keyring unless another is named, and only a key under which the company is
// already. A switch is what asks those who must agree to another one.
import type { Company, Keyring } from '../../domain/keyring.ts';
import { isInForce, type Connection } from '../../domain/connection.ts';
import { sameProvider, type KeyTarget, type ProviderRef } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { markUse, userOfKeyring } from '../../store/connection-use.ts';
import type { Found, Loaded } from '../../store/found.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import type { Writes } from '../../store/tx.ts';
import { loadReadableCompanyKey, verifyWrap, wrapInForce, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { forged } from '../keys/seals.ts';
import { loadConnection } from '../keys/verified-connection.ts';

/** What stood when it was looked at stands no longer: ask again. */
const CHANGED: Refusal = { type: 'busy', retryAfterSeconds: 1 };

/** The key to make it under, as a keyring that is under it proves by its own sealed wrap: which provider a keyring names is not sealed. */
export async function placeOfNewKeyring(
  deps: CompanyKeyOpening,
  input: {
    readonly company: Pick<Company, 'companyId' | 'defaultKeyring'>;
    readonly keyrings: readonly Loaded<Keyring>[];
    readonly provider?: ProviderRef | undefined;
  },
): Promise<Result<KeyTarget, Refusal>> {
  const { companyId, defaultKeyring } = input.company;
  const keyrings = input.keyrings.map(({ value }) => value);
  const { vendor } = deps.providers;
  const ref = input.provider ?? keyrings.find((one) => one.keyringId === defaultKeyring)?.provider ?? vendor.ref;
  if (sameProvider(ref, vendor.ref)) return ok(vendor);
  const model = keyrings.find((one) => one.state === 'ready' && sameProvider(one.provider, ref));
  if (!model) return err(notInForce(ref));
  const context = { companyId, keyringId: model.keyringId, version: model.activeVersion };
  const row = await loadReadableCompanyKey(deps, context);
  if (!row.ok) return err(refusedBy(row.error));
  if (!row.value) return err(CHANGED);
  const wrap = wrapInForce(row.value.value);
  if (!wrap || !sameProvider(wrap.ref, ref)) {
    return err(refusedBy(forged(deps.log, { companyId, rowKey: companyKeyRow.key(context) })));
  }
  const target = await verifyWrap(deps, context, wrap);
  return target.ok ? target : err(refusedBy(target.error));
}

/** The connection that leads to the key, if one does; still in force. */
export async function connectionOfNewKeyring(
  deps: CompanyKeyOpening,
  { companyId, ref: { connectionId } }: { readonly companyId: string; readonly ref: ProviderRef },
): Promise<Result<Found<Connection> | undefined, Refusal>> {
  if (connectionId === undefined) return ok(undefined);
  const connection = await loadConnection(deps, { companyId, connectionId });
  if (!connection.ok) return err(refusedBy(connection.error));
  return connection.value && isInForce(connection.value.value) ? ok(connection.value) : err(CHANGED);
}

/** From here on the connection is kept for the keyring too. */
export function markNewKeyring(tx: Writes, connection: Found<Connection> | undefined, keyringId: string): void {
  if (connection) markUse(tx, connection, { add: [userOfKeyring(keyringId)] });
}

const notInForce = ({ connectionId = '' }: ProviderRef): Refusal => ({
  type: 'state',
  code: 'connection-not-in-force',
  message: `No keyring is under the connection '${connectionId}'. Make this one under the key of another, and switch it.`,
});
