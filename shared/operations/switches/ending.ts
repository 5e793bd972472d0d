// What the end of a switch depends on. The rows of its transaction are read before anything else is looked at (invariant A10), so that the transaction
// fails if anything about the shards and tenants has changed.
import type { CompanyKeyRow } from '../../domain/company-key.ts';
import type { Connection } from '../../domain/connection.ts';
import { countsDiffer } from '../../domain/counts-differ.ts';
import type { Company, Keyring } from '../../domain/keyring.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ProviderRef } from '../../domain/provider.ts';
import { ok } from '../../domain/result.ts';
import { failed, OUT_OF_DATE, outcomeOf, type Next, type StepOutcome } from '../../domain/switch-machine.ts';
import { isRunning, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { loadCompany, loadKeyring, loadSwitch, type Found } from '../../store/control-state.ts';
import { loadShards, type LoadedShard } from '../../store/shard-rows.ts';
import type { Tables } from '../../store/tables.ts';
import { loadReadableCompanyKey, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { checkSwitch } from '../keys/switch-seal.ts';
import { decide, seen } from './decide.ts';
import { tenantsThatHold, type TenantReading } from './gate.ts';
import { loadConnectionsOf } from './switch-writes.ts';

export interface EndReading extends CompanyKeyOpening, TenantReading {
  readonly providers: CompanyKeyOpening['providers'];
  readonly tables: Tables;
  readonly clock: Clock;
}

export type FanOut = Extract<Next, { readonly type: 'fan-out' }>;
export type Shards = readonly (LoadedShard | undefined)[];

export interface Ending {
  readonly company: Found<Company>;
  readonly keyring: Found<Keyring>;
  readonly sw: Found<Switch>;
  /** The company key that stays, and the one that goes. */
  readonly stays: Found<CompanyKeyRow>;
  readonly goes: Found<CompanyKeyRow>;
  readonly connections: readonly Found<Connection>[];
  readonly endsWith: ProviderRef;
}

export async function loadEnding(deps: EndReading, place: SwitchPlace): Promise<Ending | StepOutcome> {
  const { tables } = deps;
  const [company, keyring, sw] = await Promise.all([
    loadCompany(tables, place.companyId),
    loadKeyring(tables, place),
    loadSwitch(tables, place),
  ]);
  if (!company || !keyring || !sw || !isRunning(sw.value) || keyring.value.switchId !== place.switchId)
    return OUT_OF_DATE;
  const { state, source, target, fromVersion, toVersion } = sw.value;
  const forward = state === 're-protecting';
  const stays = await loadReadableCompanyKey(deps, { ...place, version: forward ? toVersion : fromVersion });
  const goes = await loadReadableCompanyKey(deps, { ...place, version: forward ? fromVersion : toVersion });
  if (!stays.ok) return failed(stays.error, { side: 'source' });
  if (!goes.ok) return failed(goes.error, { side: 'source' });
  if (!stays.value || !goes.value) return OUT_OF_DATE;
  const endsWith = forward ? target : source;
  const refs = { needed: [endsWith], leaving: [forward ? source : target] };
  const connections = await loadConnectionsOf(deps, place.companyId, refs);
  if (!connections.ok) return failed(connections.error, { side: forward ? 'target' : 'source' });
  return {
    company,
    keyring,
    sw,
    stays: stays.value,
    goes: goes.value,
    connections: connections.value,
    endsWith,
  };
}

/** The shards, if nothing keeps the switch from ending. */
export async function lookAtEnd(
  deps: EndReading,
  place: SwitchPlace,
  ending: Ending,
): Promise<{ readonly shards: Shards } | StepOutcome | FanOut> {
  const sw = ending.sw.value;
  let shards: Shards = [];
  const decided = await decide(
    sw,
    { rows: 'read' },
    {
      seal: async () => seen('source', await checkSwitch(deps, place, sw), () => 'good' as const),
      // invariant A10: the ETags of the end were read before (loadEnding)
      shards: async () => {
        shards = await loadShards(deps.tables, { ...place, shardCount: ending.keyring.value.shardCount });
        return ok(shards.map((shard) => shard?.value));
      },
      // invariant A11: the company's row was read before and is in the transaction; tenants come and go by merging it. Verifications of this switch only
      // become more until it ends, and its connection, also in the transaction, cannot come to lead elsewhere.
      tenants: async () =>
        seen('target', await tenantsThatHold(deps, { companyId: place.companyId, sw }), ({ length }) => length),
      lease: () => Promise.resolve(ok(isLeased(sw, deps.clock.now()) ? ('held' as const) : ('free' as const))),
    },
  );
  if (!decided.ok) return decided.error;
  const then = decided.value;
  if (then.type === 'step') return { shards };
  if (then.type === 'fan-out') return then;
  if (then.type === 'counts-differ')
    return failed(countsDiffer(then.shards.flatMap((number) => shards[number]?.value ?? [])));
  return outcomeOf(then);
}

const isLeased = ({ lease }: Switch, now: Date): boolean => lease !== undefined && now < new Date(lease.until);
