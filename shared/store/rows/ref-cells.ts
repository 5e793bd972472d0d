// The cells that name where a key is. Pure.
import type { ProviderRef } from '../../domain/provider.ts';
import { present } from '../../domain/plain-object.ts';
import { optionalText, type Cells } from './cells.ts';

export const refCells = (prefix: string, ref: ProviderRef): Cells => ({
  [`${prefix}Provider`]: ref.provider,
  [`${prefix}ConnectionId`]: ref.connectionId ?? '',
});

export function readRef(cells: Cells, prefix: string): ProviderRef | undefined {
  const provider = optionalText(cells, `${prefix}Provider`);
  const connectionId = optionalText(cells, `${prefix}ConnectionId`);
  return provider === undefined ? undefined : { provider, ...present({ connectionId }) };
}
