// Rows of the `companies` table, but for those that name a vault (sealed-rows.ts). Pure. Every row carries `format`.
import type { Closing, Company, Keyring } from '../../domain/keyring.ts';
import type { ProviderRef } from '../../domain/provider.ts';
import type { Blocked, Switch, SwitchState, Trouble } from '../../domain/switch.ts';
import { isTenantRef, MAX_TENANTS_PER_COMPANY, type TenantRef } from '../../domain/tenant.ts';
import { count, flag, json, need, oneOf, optionalText, text, type CellRecord } from './cells.ts';
import { isRecord, present } from '../../domain/plain-object.ts';
import { readFailure } from './failure-cell.ts';
import { COMPANY_ROW_KEY, keyringRowKey, switchRowKey } from './row-keys.ts';
import { NOBODYS_SEAL, readSeal } from './seal-cell.ts';

const FORMAT = 1;

export function companyCells({ closing, closedAt, ...company }: Company): CellRecord {
  const { decided, worker, until } = closing ?? {};
  return {
    format: FORMAT,
    ...company,
    ...present({ closingDecided: decided, closingWorker: worker, closingUntil: until, closedAt }),
  };
}

/** A row of a later format is not for this version of the product to guess at. */
const needFormat = (cells: CellRecord, row: string): unknown =>
  need(count(cells, 'format') === FORMAT ? FORMAT : undefined, row, 'format');

export function readCompany(cells: CellRecord): Company {
  const row = COMPANY_ROW_KEY;
  needFormat(cells, row);
  const state = need(oneOf<Company['state']>(cells, 'state', ['active', 'closing', 'closed']), row, 'state');
  const closing: Closing = {
    decided: flag(cells, 'closingDecided') ?? false,
    worker: text(cells, 'closingWorker') ?? '',
    until: text(cells, 'closingUntil') ?? '',
  };
  return {
    companyId: need(text(cells, 'companyId'), row, 'companyId'),
    displayName: need(text(cells, 'displayName'), row, 'displayName'),
    defaultKeyring: need(text(cells, 'defaultKeyring'), row, 'defaultKeyring'),
    state,
    createdAt: need(text(cells, 'createdAt'), row, 'createdAt'),
    ...present({ closing: state === 'closing' ? closing : undefined, closedAt: text(cells, 'closedAt') }),
  };
}

const refCells = (prefix: string, ref: ProviderRef): CellRecord => ({
  [`${prefix}Provider`]: ref.provider,
  [`${prefix}ConnectionId`]: ref.connectionId ?? '',
});

function readRef(cells: CellRecord, prefix: string): ProviderRef | undefined {
  const provider = optionalText(cells, `${prefix}Provider`);
  const connectionId = optionalText(cells, `${prefix}ConnectionId`);
  return provider === undefined ? undefined : { provider, ...present({ connectionId }) };
}

/** `switchId` is written empty when there is none, so that a merge can take it away. */
export const keyringCells = (keyring: Keyring): CellRecord => {
  const { provider, ...rest } = keyring;
  return { format: FORMAT, ...rest, ...refCells('inForce', provider), switchId: keyring.switchId ?? '' };
};

export function readKeyring(cells: CellRecord): Keyring {
  const keyringId = text(cells, 'keyringId') ?? '';
  const row = keyringRowKey(keyringId);
  needFormat(cells, row);
  return {
    keyringId,
    state: need(oneOf(cells, 'state', ['creating', 'ready']), row, 'state'),
    shardCount: need(count(cells, 'shardCount'), row, 'shardCount'),
    provider: need(readRef(cells, 'inForce'), row, 'provider'),
    activeVersion: need(count(cells, 'activeVersion'), row, 'activeVersion'),
    highVersion: need(count(cells, 'highVersion'), row, 'highVersion'),
    generation: need(count(cells, 'generation'), row, 'generation'),
    rollBacks: need(count(cells, 'rollBacks'), row, 'rollBacks'),
    createdAt: need(text(cells, 'createdAt'), row, 'createdAt'),
    ...present({ switchId: optionalText(cells, 'switchId') }),
  };
}

const SWITCH_STATES: readonly SwitchState[] = [
  'pending-verification',
  'preparing',
  're-protecting',
  'rolling-back',
  'completed',
  'cancelled',
];

export const switchCells = (sw: Switch): CellRecord => ({
  format: FORMAT,
  switchId: sw.switchId,
  keyringId: sw.keyringId,
  kind: sw.kind,
  state: sw.state,
  ...refCells('source', sw.source),
  ...refCells('target', sw.target),
  fromVersion: sw.fromVersion,
  toVersion: sw.toVersion,
  generation: sw.generation,
  paused: sw.paused,
  blocked: sw.blocked ? JSON.stringify(sw.blocked) : '',
  trouble: sw.trouble ? JSON.stringify(sw.trouble) : '',
  denialAccepted: sw.denialAccepted,
  endsWithoutKeeping: sw.endsWithoutKeeping ?? false,
  awaitsConfirmation: sw.awaitsConfirmation ?? false,
  removedTenants: sw.removedTenants ? removedTenantsText(sw.removedTenants) : '',
  requestedBy: sw.requestedBy,
  createdAt: sw.createdAt,
  turnedAt: sw.turnedAt ?? '',
  doneAtTurn: sw.doneAtTurn ?? 0,
  lease: sw.lease ? JSON.stringify(sw.lease) : '',
  endedAt: sw.endedAt ?? '',
  finalCounts: sw.finalCounts ? JSON.stringify(sw.finalCounts) : '',
  seal: JSON.stringify(sw.seal),
});

export function readSwitch(cells: CellRecord): Switch {
  const switchId = text(cells, 'switchId') ?? '';
  const keyringId = text(cells, 'keyringId') ?? '';
  const row = switchRowKey(keyringId, switchId);
  needFormat(cells, row);
  const turnedAt = optionalText(cells, 'turnedAt');
  return {
    switchId,
    keyringId,
    kind: need(oneOf(cells, 'kind', ['switch', 'rekey']), row, 'kind'),
    state: need(oneOf(cells, 'state', SWITCH_STATES), row, 'state'),
    source: need(readRef(cells, 'source'), row, 'source'),
    target: need(readRef(cells, 'target'), row, 'target'),
    fromVersion: need(count(cells, 'fromVersion'), row, 'fromVersion'),
    toVersion: need(count(cells, 'toVersion'), row, 'toVersion'),
    generation: need(count(cells, 'generation'), row, 'generation'),
    paused: need(flag(cells, 'paused'), row, 'paused'),
    denialAccepted: need(flag(cells, 'denialAccepted'), row, 'denialAccepted'),
    requestedBy: need(text(cells, 'requestedBy'), row, 'requestedBy'),
    createdAt: need(text(cells, 'createdAt'), row, 'createdAt'),
    seal: readSeal(json(cells, 'seal')) ?? NOBODYS_SEAL,
    ...present({
      endsWithoutKeeping: flag(cells, 'endsWithoutKeeping') === true ? (true as const) : undefined,
      // A row without the cell is malformed: a switch must not skip a confirmation because the cell was removed.
      awaitsConfirmation: need(flag(cells, 'awaitsConfirmation'), row, 'awaitsConfirmation')
        ? (true as const)
        : undefined,
      removedTenants: readRemovedTenants(cells, row),
      blocked: readBlocked(json(cells, 'blocked')),
      trouble: readTrouble(json(cells, 'trouble')),
      turnedAt,
      doneAtTurn: turnedAt === undefined ? undefined : count(cells, 'doneAtTurn'),
      lease: readLease(json(cells, 'lease')),
      endedAt: optionalText(cells, 'endedAt'),
      finalCounts: readFinalCounts(json(cells, 'finalCounts')),
    }),
  };
}

const removedTenantsText = (tenants: readonly TenantRef[]): string =>
  JSON.stringify(tenants.map(({ kind, tenantId }) => [kind, tenantId]));

/** As many as a company may have, if one cell takes them: a text of at most 32 Ki characters. */
export const fitsRemovedTenants = (tenants: readonly TenantRef[]): boolean =>
  tenants.length <= MAX_TENANTS_PER_COMPANY && removedTenantsText(tenants).length <= 30_000;

/** Throws MalformedRow: whom a switch waits for must not be forgotten because it cannot be read. */
function readRemovedTenants(cells: CellRecord, row: string): readonly TenantRef[] | undefined {
  if (optionalText(cells, 'removedTenants') === undefined) return undefined;
  const pairs = json(cells, 'removedTenants');
  return need(Array.isArray(pairs) ? pairs : undefined, row, 'removedTenants').map((pair: unknown) => {
    const [kind, tenantId] = Array.isArray(pair) ? (pair as unknown[]) : [];
    const tenant = { kind, tenantId };
    return need(isTenantRef(tenant) ? tenant : undefined, row, 'removedTenants');
  });
}

function readBlocked(value: unknown): Blocked | undefined {
  if (!isRecord(value) || typeof value['since'] !== 'string') return undefined;
  const { reason, since, side, detail } = value;
  if ((reason === 'provider' || reason === 'key-not-kept') && (side === 'source' || side === 'target')) {
    const failure = readFailure(value['failure']);
    return failure && { reason, since, side, failure };
  }
  if (reason === 'counts-differ') {
    const failure = readFailure(value['failure']);
    return failure && { reason, since, failure };
  }
  if (reason === 'dead-letter' && typeof detail === 'string') return { reason, since, detail };
  return undefined;
}

function readTrouble(value: unknown): Trouble | undefined {
  if (!isRecord(value) || typeof value['since'] !== 'string') return undefined;
  const { since, side, shard, nextTryAt } = value;
  const failure = readFailure(value['failure']);
  return (
    failure && {
      since,
      failure,
      ...present({
        side: side === 'source' || side === 'target' ? side : undefined,
        shard: typeof shard === 'number' && Number.isSafeInteger(shard) ? shard : undefined,
        nextTryAt: typeof nextTryAt === 'string' ? nextTryAt : undefined,
      }),
    }
  );
}

function readLease(value: unknown): Switch['lease'] | undefined {
  if (!isRecord(value)) return undefined;
  const { worker, until } = value;
  return typeof worker === 'string' && typeof until === 'string' ? { worker, until } : undefined;
}

function readFinalCounts(value: unknown): Switch['finalCounts'] | undefined {
  if (!isRecord(value)) return undefined;
  const { total, quarantined, lost } = value;
  if (typeof total !== 'number' || typeof quarantined !== 'number' || typeof lost !== 'number') return undefined;
  return { total, quarantined, lost };
}
