// Where the keyrings of a company are: under which providers now, and to which their unfinished switches lead.
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { ProviderRef } from '../../domain/provider.ts';
import { find, list } from '../../store/found.ts';
import { keyringsOf } from '../../store/rows/keyring-rows.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import type { Tables } from '../../store/tables.ts';

/** All but the one keyring. To decide by it, write under the company's ETag: who makes or switches one does so too. */
export async function placesOfOthers(tables: Tables, place: KeyringPlace): Promise<readonly ProviderRef[]> {
  const { companyId, keyringId } = place;
  const keyrings = await list(tables, keyringsOf, { companyId });
  const others = keyrings.map(({ value }) => value).filter((one) => one.keyringId !== keyringId);
  const refs = await Promise.all(
    others.map(async ({ keyringId: id, provider, switchId }) => {
      const sw = switchId && (await find(tables, switchRow, { companyId, keyringId: id, switchId }));
      return sw ? [provider, sw.value.target] : [provider];
    }),
  );
  return refs.flat();
}
