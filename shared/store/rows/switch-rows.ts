// Rows of switches. Pure.
import type { KeyringPlace } from '../../domain/keyring.ts';
import { notFound } from '../../domain/refusal.ts';
import { sealedBytesOfSwitch } from '../../domain/seal.ts';
import {
  isEnded,
  type Blocked,
  type Switch,
  type SwitchPlace,
  type SwitchState,
  type Trouble,
} from '../../domain/switch.ts';
import { isTenantRef, MAX_TENANTS_PER_COMPANY, type TenantRef } from '../../domain/tenant.ts';
import { count, flag, json, need, needFormat, oneOf, optionalText, text, type Cells } from './cells.ts';
import { isRecord, present } from '../../domain/plain-object.ts';
import { isTime, readFailure } from './failure-cell.ts';
import { readRef, refCells } from './ref-cells.ts';
import type { Row, Rows } from './row.ts';
import { switchRowKey } from './row-keys.ts';
import { NOBODYS_SEAL, readSeal } from './seal-cell.ts';

const FORMAT = 1;

const SWITCH_STATES: readonly SwitchState[] = [
  'pending-verification',
  'preparing',
  're-protecting',
  'rolling-back',
  'completed',
  'cancelled',
];

export const switchCells = (sw: Switch): Cells => ({
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

export function readSwitch(cells: Cells): Switch {
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

export const switchRow: Row<SwitchPlace, Switch> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ keyringId, switchId }) => switchRowKey(keyringId, switchId),
  cells: switchCells,
  read: readSwitch,
  missing: ({ switchId }) => notFound('switch', switchId),
  sealed: (sw, { companyId, keyringId, switchId }) =>
    isEnded(sw.state)
      ? undefined
      : {
          parts: [{ bytes: sealedBytesOfSwitch(companyId, { ...sw, keyringId, switchId }), seal: sw.seal }],
          with: ([seal = sw.seal]) => ({ ...sw, seal }),
          cells: ['seal'],
        },
};

export const switchesOf: Rows<KeyringPlace, SwitchPlace, Switch> = {
  row: switchRow,
  partition: ({ companyId }) => companyId,
  prefix: ({ keyringId }) => switchRowKey(keyringId, ''),
  place: ({ companyId, keyringId }, switchId) => ({ companyId, keyringId, switchId }),
};

/** Of all keyrings of a company. */
export const switchesOfCompany: Rows<{ readonly companyId: string }, SwitchPlace, Switch> = {
  row: switchRow,
  partition: ({ companyId }) => companyId,
  prefix: () => 'switch|',
  place: ({ companyId }, rest) => {
    const [keyringId = '', switchId = ''] = rest.split('|');
    return { companyId, keyringId, switchId };
  },
};

const removedTenantsText = (tenants: readonly TenantRef[]): string =>
  JSON.stringify(tenants.map(({ kind, tenantId }) => [kind, tenantId]));

/** Whether a company may have so many, and one cell holds them (32 Ki characters of text). */
export const fitsRemovedTenants = (tenants: readonly TenantRef[]): boolean =>
  tenants.length <= MAX_TENANTS_PER_COMPANY && removedTenantsText(tenants).length <= 30_000;

/** Throws MalformedRow: a switch must not forget which tenants it waits for because a cell cannot be read. */
function readRemovedTenants(cells: Cells, row: string): readonly TenantRef[] | undefined {
  if (optionalText(cells, 'removedTenants') === undefined) return undefined;
  const pairs = json(cells, 'removedTenants');
  return need(Array.isArray(pairs) ? pairs : undefined, row, 'removedTenants').map((pair: unknown) => {
    const [kind, tenantId] = Array.isArray(pair) ? (pair as unknown[]) : [];
    const tenant = { kind, tenantId };
    return need(isTenantRef(tenant) ? tenant : undefined, row, 'removedTenants');
  });
}

function readBlocked(value: unknown): Blocked | undefined {
  if (!isRecord(value)) return undefined;
  const { reason, since, side, detail } = value;
  if (!isTime(since)) return undefined;
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
  if (!isRecord(value)) return undefined;
  const { since, side, shard, nextTryAt } = value;
  if (!isTime(since)) return undefined;
  const failure = readFailure(value['failure']);
  return (
    failure && {
      since,
      failure,
      ...present({
        side: side === 'source' || side === 'target' ? side : undefined,
        shard: typeof shard === 'number' && Number.isSafeInteger(shard) ? shard : undefined,
        nextTryAt: isTime(nextTryAt) ? nextTryAt : undefined,
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
