// The design's places to die, by name; and which of them a call of a port is.
import type { RowWrite, TableName } from '../../shared/operations/ports.ts';
import type { Shard } from '../../shared/domain/shard.ts';
import type { SwitchState } from '../../shared/domain/switch.ts';

/** `again`: forward once more, after a roll-back was turned round. */
export type Way = 'forward' | 'back' | 'again';

/** Places that there are on every way. */
const PLACES_OF_A_PASS = [
  'message:before-receipt',
  'message:after-receipt',
  'page:read',
  'company-key:unwrapped',
  'page-write:before',
  'page-write:after',
  'page-write:answer-lost',
  'page-write:not-committed',
  'message:before-completion',
  'next:enqueued',
  'turn:before',
  'turn:after',
  'second-pass:before',
  'second-pass:after',
  'end:before',
  'end:after',
] as const;
const PLACES_OF_PREPARE = ['prepare:midway', 'prepare:before', 'prepare:after'] as const;

export type Place = (typeof PLACES_OF_A_PASS)[number] | (typeof PLACES_OF_PREPARE)[number];

/** Places where nobody dies but an answer does. */
const PLACES_OF_LOST_ANSWERS: readonly Place[] = ['page-write:answer-lost', 'page-write:not-committed'];

export const DEADLY_PLACES: readonly Place[] = [...PLACES_OF_A_PASS, ...PLACES_OF_PREPARE].filter(
  (place) => !PLACES_OF_LOST_ANSWERS.includes(place),
);

export type Workers = 'one worker' | 'several workers';

/** A process that freezes goes on much later with what it held in its hands: another thing than one that is gone. */
export type Death = 'kill' | 'freeze';

/** Every place, killed there and frozen there, on every way, with one worker and with several. */
export const ALL_PLACES: readonly string[] = (['one worker', 'several workers'] as const).flatMap((workers) => [
  ...(['forward', 'back', 'again'] as const).flatMap((way) =>
    PLACES_OF_A_PASS.flatMap((place) => fatesAt(place).map((fate) => reachedPlace({ place, way, workers, fate }))),
  ),
  ...PLACES_OF_PREPARE.flatMap((place) =>
    fatesAt(place).map((fate) => reachedPlace({ place, way: 'forward', workers, fate })),
  ),
]);

type Fate = Death | 'answer';

function fatesAt(place: Place): readonly Fate[] {
  return PLACES_OF_LOST_ANSWERS.includes(place) ? ['answer'] : ['kill', 'freeze'];
}

export function reachedPlace(reached: {
  readonly place: Place;
  readonly way: Way;
  readonly workers: Workers;
  readonly fate: Fate;
}): string {
  return `${reached.place} · ${reached.fate} · ${reached.way} · ${reached.workers}`;
}

/** What a worker's transaction is. Undefined for one that is no place to die. */
export function actOf(
  table: TableName,
  writes: readonly RowWrite[],
  stored: { readonly shard: Shard | undefined; readonly state: SwitchState | undefined },
): 'turn' | 'page-write' | 'second-pass' | 'prepare' | 'end' | undefined {
  if (table === 'datakeys') {
    const [first] = writes;
    if (first?.kind !== 'merge' || !stored.shard) return undefined;
    const generation = first.cells['generation'];
    if (typeof generation === 'number' && generation > stored.shard.generation) return 'turn';
    return stored.shard.phase === 'verify' ? 'second-pass' : 'page-write';
  }
  if (table !== 'companies') return undefined;
  const sw = writes.find(({ rowKey }) => rowKey.startsWith('switch|'));
  const state = sw && sw.kind !== 'delete' ? sw.cells['state'] : undefined;
  if (state === 're-protecting' && stored.state === 'preparing') return 'prepare';
  const ends = state === 'completed' || state === 'cancelled';
  return ends && (stored.state === 're-protecting' || stored.state === 'rolling-back') ? 'end' : undefined;
}
