// One worker's pass over one shard: turns it to the switch's generation if needed, then moves its rows page by page until both passes are done. Reads
// switch and shard again before every page; an out-of-date worker stops and changes nothing.
import { countsDiffer } from '../../domain/counts-differ.ts';
import { afterLastRow, MAX_VAIN_PASSES, turned, type Shard } from '../../domain/shard.ts';
import {
  DONE,
  failed,
  LOST_RACE,
  MOVED,
  nextForShard,
  OUT_OF_DATE,
  type StepOutcome,
} from '../../domain/switch-machine.ts';
import { turnOf, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { loadSwitch } from '../../store/control-state.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import type { Recording } from '../../store/record-event.ts';
import { loadShard, writeBehindShard, type LoadedShard, type ShardPlace } from '../../store/shard-rows.ts';
import type { RowPage } from '../../store/tables.ts';
import type { WorkerKeyProblem } from '../keys/worker-keys.ts';
import { PageReader } from './page-reader.ts';
import type { PageSlots } from './page-slots.ts';
import { decider, keysOf, otherKeys, otherVersions, type OtherKeys, type PassKeyReading } from './pass-keys.ts';
import { NO_PERMIT } from './vault-permits.ts';
import { writeRows, type End, type PassWriting } from './write-rows.ts';

export interface ShardPassing extends PassWriting, PassKeyReading {
  readonly tables: Recording['tables'];
  readonly pageSlots: PageSlots;
}

const WAITS_FOR_PERMIT = { type: 'wait', for: 'permit' } as const;

/** `moved`: the time is up, and the next message does the rest of the shard. */
export async function passShard(
  deps: ShardPassing,
  place: SwitchPlace & ShardPlace,
  work: { readonly generation: number; readonly deadline: Date },
): Promise<StepOutcome> {
  const writer = deps.entropy.id();
  const pages = new PageReader(deps.tables, place);
  let losses = 0;
  while (deps.clock.now() < work.deadline) {
    const [sw, shard] = await Promise.all([loadSwitch(deps.tables, place), loadShard(deps.tables, place)]);
    let then = nextForShard(sw?.value, shard?.value, work);
    // Either the switch was turned after it was read here, or the control rows are older than the data keys (a restore).
    if (then === 'look') {
      const again = await loadSwitch(deps.tables, place);
      then = nextForShard(again?.value, shard?.value, { ...work, isReadAgain: true });
    }
    if (then === 'wait' || !sw || !shard) return OUT_OF_DATE;
    if (then === 'done') return DONE;
    if (then === 'counts-differ') return failed(countsDiffer([shard.value]));
    const moved =
      then === 'turn'
        ? await turnShard(deps, place, { sw: sw.value, shard, writer })
        : await passPage(deps, place, { sw: sw.value, shard, writer, pages });
    if (moved.type !== 'moved') return moved;
    losses = moved.by === 'others' ? losses + 1 : 0;
    if (losses > 0) await pauseAfterLosing(deps, losses);
  }
  return MOVED;
}

/** From here on new keys are written under the target version and none is added under the other, so the pass may begin. */
async function turnShard(
  deps: ShardPassing,
  place: ShardPlace,
  input: { readonly sw: Switch; readonly shard: LoadedShard; readonly writer: string },
): Promise<StepOutcome> {
  const next = turned({ ...input.shard.value, touchedAt: deps.clock.now().toISOString() }, turnOf(input.sw));
  if (!next) return LOST_RACE;
  const written = await writeBehindShard(deps.tables, place, { from: input.shard, next, writtenBy: input.writer });
  return written.outcome === 'committed' ? MOVED : LOST_RACE;
}

async function passPage(
  deps: ShardPassing,
  place: SwitchPlace & ShardPlace,
  input: { readonly sw: Switch; readonly shard: LoadedShard; readonly writer: string; readonly pages: PageReader },
): Promise<StepOutcome> {
  const { sw, shard, writer, pages } = input;
  const keys = await keysOf(deps, place, sw, shard.value.phase);
  if (keys === NO_PERMIT) return WAITS_FOR_PERMIT;
  if (!keys.ok) return outcomeOfProblem(keys.error);
  const move = async (page: RowPage, others: OtherKeys): Promise<StepOutcome> => {
    const decide = decider(deps, keys.value, others);
    const cursor = page.rows.at(-1)?.rowKey ?? shard.value.cursor;
    if (page.continuation !== undefined) pages.prefetch(cursor, page.continuation);
    const end: End = (counted) =>
      page.continuation === undefined ? afterLastRow(counted, cursor) : { ...counted, cursor };
    const written = await writeRows(deps, place, { from: shard, rows: page.rows, decide, end, writer });
    return written ? afterPage(deps, place, { before: shard.value, after: written }) : LOST_RACE;
  };
  const first = await deps.pageSlots(
    async () => {
      const page = await pages.read(shard.value.cursor);
      const named = otherVersions(sw, page);
      return named.size === 0 ? { page, moved: await move(page, new Map()) } : { page, moved: undefined, named };
    },
    ({ page, moved }) => (moved?.type === 'moved' && moved.by === 'this-worker' ? page.rows.length : undefined),
  );
  if (first.moved) return first.moved;
  const others = await deps.vaultPermits.run(place.companyId, () => otherKeys(deps, place, sw, first.named));
  if (others === NO_PERMIT) return WAITS_FOR_PERMIT;
  if (!others.ok) return outcomeOfProblem(others.error);
  return deps.pageSlots(
    () => move(first.page, others.value),
    () => undefined,
  );
}

/** A missing company key means that this worker is out of date, not that something is wrong. */
const outcomeOfProblem = (problem: WorkerKeyProblem): StepOutcome => (problem.type === 'gone' ? OUT_OF_DATE : problem);

/** A pass that reached its end but missed rows starts again; the second time, the switch is blocked. */
function afterPage(
  deps: ShardPassing,
  { companyId, keyringId, shard }: ShardPlace,
  { before, after }: { readonly before: Shard; readonly after: LoadedShard },
): StepOutcome {
  const { vain } = after.value;
  if (vain <= before.vain) return MOVED;
  deps.log.write({ level: 'error', event: 'shard.pass-in-vain', detail: { companyId, keyringId, shard, vain } });
  return vain < MAX_VAIN_PASSES ? MOVED : failed(countsDiffer([after.value]));
}
