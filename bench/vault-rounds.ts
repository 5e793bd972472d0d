// Rounds of vault checks by two hosts over the vaults of many customers: a first one, one in which all answer, one in which one in fifty denies, one in which
// one in twenty says nothing besides, and the next one, in which nothing has changed. The messages come all at once, where the timer spreads them over a minute.
import { setTimeout as delay } from 'node:timers/promises';
import { SERVICE_BUS_HOST } from '../local/identities.ts';
import { CHECKS_QUEUE } from '../local/environment/app-environment.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { ServiceBusQueue } from '../shared/adapters/service-bus-queue.ts';
import { systemClock, systemEntropy, systemTimers } from '../shared/adapters/system.ts';
import type { CheckMessage } from '../shared/domain/check-message.ts';
import { laneOf, LANES, slotOf, type Lane } from '../shared/domain/check-pace.ts';
import { bucketOf, paceIn } from '../shared/operations/watch/pace.ts';
import { changeOnce } from '../shared/store/act.ts';
import { allBuckets, pageOfAgenda, putOnAgenda, type ListedAgendaItem } from '../shared/store/agenda.ts';
import { find } from '../shared/store/found.ts';
import { roundRow } from '../shared/store/rows/round-rows.ts';
import type { Tables } from '../shared/store/tables.ts';
import { beginRun, until, type Run } from '../test/end-to-end/run.ts';
import { buildApp } from '../scripts/build-bundle.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { customerHost, customerName, seedCustomers } from './customers.ts';
import { GAUGED, readGauge } from './harness/host-gauge.ts';
import { Report } from './harness/report.ts';
import { TABLES_ENDPOINT } from './tables-service.ts';

const VAULTS = 2_000;
const HOSTS = 2;
const SILENT_EACH = 20;
const DENIED_EACH = 50;
const MOST_SECONDS = 60;
/** Two notes for each lane of each bucket, and as many for a few that go on in the next minute. */
const MOST_NOTES = 96;
const LIMIT_SECONDS = { run: 10, trial: 1 };
/** Beside the time limit: of the checks that end by it. */
const WORK_SECONDS = 1;
const CHECKS = new Set(['get', 'unwrapkey']);
const NEVER = '0 0 0 29 2 *';
/** One `get` and one `unwrapKey`. */
const MOST_CALLS = 2;
const POLL_MS = 250;
const WAIT_MS = 600_000;

interface Scene {
  readonly run: Run;
  readonly tables: Tables;
  readonly queue: ServiceBusQueue<CheckMessage>;
}

export async function vaultRounds(options: BenchOptions): Promise<boolean> {
  const vaults = options.keys ?? sized(VAULTS, options);
  const limit = options.trial ? LIMIT_SECONDS.trial : LIMIT_SECONDS.run;
  const report = new Report('vault-rounds', options, { vaults, hosts: HOSTS, limit });
  const settings = {
    KEYSWITCH_CHECK_SCHEDULE: NEVER,
    KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: String(limit),
    KEYSWITCH_SHARD_COUNT: '1',
  };
  const run = await beginRun({ bundleDir: await buildApp(), program: GAUGED }, { settings, hosts: HOSTS });
  const scene = { run, ...accessOf(run) };
  await seedCustomers(run, vaults);
  for (let n = 0; n < vaults; n += 1)
    await putOnAgenda(scene.tables, { kind: 'check', companyId: customerName(n), id: 'own' });

  const tell = (what: string, { seconds, processorSeconds }: Measured): void => {
    report.value({ what, value: seconds, unit: 's', goal: { atMost: MOST_SECONDS } });
    report.value({ what: `${what}: processor of the hosts`, value: processorSeconds, unit: 's' });
  };
  tell('the first round', await roundOfAll(scene));
  const well = await roundOfAll(scene);
  tell('a round, all answer', well);
  const value = well.vaultCalls / vaults;
  report.value({ what: 'vault calls for each check', value, unit: '', goal: { atMost: MOST_CALLS } });
  const told = (changes: number, round: Measured): void =>
    report.value({
      what: `events of ${changes} changes`,
      value: round.writesOf('events'),
      unit: 'transactions',
      goal: { atMost: changes },
    });
  const denied = await deny(run, vaults);
  const inDenial = await roundOfAll(scene);
  tell('a round, 2 % deny', inDenial);
  told(denied, inDenial);
  const silent = await silence(run, vaults);
  const inSilence = await roundOfAll(scene);
  tell('a round, 5 % silent besides', inSilence);
  const added = Math.max(0, inSilence.seconds - inDenial.seconds);
  report.value({ what: 'added by the silent', value: added, unit: 's', goal: { atMost: limit + WORK_SECONDS } });
  const again = await roundOfAll(scene);
  tell('a round, nothing changed', again);
  // A check that was given up early, since others were silent, is decided in the next round.
  report.value({
    what: `events of ${silent} changes, in both rounds`,
    value: inSilence.writesOf('events') + again.writesOf('events'),
    unit: 'transactions',
    goal: { atMost: silent },
  });
  report.value({
    what: 'notes of that round',
    value: again.writesOf('agenda'),
    unit: 'writes',
    goal: { atMost: MOST_NOTES },
  });
  await scene.queue.close();
  await run.close();
  return report.save();
}

const accessOf = ({ credential }: Run): Pick<Scene, 'tables' | 'queue'> => {
  const around = { credential, timers: systemTimers, entropy: systemEntropy, clock: systemClock };
  const namespace = { fullyQualifiedNamespace: SERVICE_BUS_HOST, queueName: CHECKS_QUEUE };
  return {
    tables: new AzureTables({ endpoint: TABLES_ENDPOINT, ...around }),
    queue: new ServiceBusQueue<CheckMessage>({ ...namespace, ...around }),
  };
};

interface Measured {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly vaultCalls: number;
  readonly writesOf: (table: string) => number;
}

/** As if there had been none before: then all are due, whatever is known of them. */
async function roundOfAll({ run, tables, queue }: Scene): Promise<Measured> {
  const slot = slotOf(systemClock.now());
  const places = new Map((await itemsOf(tables)).map((item) => [nameOf(item), placeOf(item)]));
  for (const place of places.values()) {
    const held = await find(tables, roundRow, place);
    if (held)
      await changeOnce({ tables }, (tx) => {
        tx.delete(held);
        return undefined;
      });
  }
  const { tables: standIn, keyVault, hosts } = run.environment;
  await standIn.clearRequests();
  await keyVault.clearRequests();
  for (const host of hosts) await readGauge(host);
  const begunMs = performance.now();
  const messages = LANES.flatMap((lane) =>
    allBuckets.map((bucket): CheckMessage => ({ format: 1, kind: 'round', lane, bucket, slot })),
  );
  await queue.send(messages);
  for (const place of places.values())
    await until(
      'the end of the round',
      async () => {
        const round = (await find(tables, roundRow, place).catch(() => undefined))?.value;
        if (round && round.done >= slot) return true;
        const next = slotOf(systemClock.now());
        // It had no time for all of them, as the next minute's goes on behind it.
        if (round && !round.isRunning && next > round.begun)
          await queue.send([{ format: 1, kind: 'round', ...place, slot: next }]);
        await delay(POLL_MS);
        return false;
      },
      WAIT_MS,
    );
  const seconds = (performance.now() - begunMs) / 1_000;
  const reads = new Set(['get', 'query', 'list-tables']);
  const writes = (await standIn.requests()).filter(({ operation }) => !reads.has(operation));
  const gauges = await Promise.all(hosts.map((host) => readGauge(host)));
  const processorSeconds = gauges.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1_000;
  const asked = (await keyVault.requests()).filter(({ operation }) => CHECKS.has(operation));
  return {
    seconds,
    processorSeconds,
    vaultCalls: asked.length,
    writesOf: (table) => writes.filter(({ target }) => target === table).length,
  };
}

const placeOf = ({ companyId, id, cells }: ListedAgendaItem): { readonly bucket: string; readonly lane: Lane } => ({
  bucket: bucketOf({ companyId, connectionId: id }),
  lane: laneOf(paceIn(cells)),
});
const nameOf = (item: ListedAgendaItem): string => Object.values(placeOf(item)).join('|');

async function itemsOf(tables: Tables): Promise<readonly ListedAgendaItem[]> {
  const found: ListedAgendaItem[] = [];
  for (const bucket of allBuckets) {
    let continuation: string | undefined;
    do {
      const at = { bucket, kind: 'check', after: '', limit: 1_000 } as const;
      const page = await pageOfAgenda(tables, { ...at, ...(continuation === undefined ? {} : { continuation }) });
      found.push(...page.items);
      continuation = page.continuation;
    } while (continuation !== undefined);
  }
  return found;
}

/** Answers of how many. */
function deny({ environment: { keyVault } }: Run, vaults: number): Promise<number> {
  return eachOf(vaults, { every: DENIED_EACH, from: 1 }, (vault) =>
    keyVault.call('DELETE', `${vault}/role-assignments/keyswitch`, {}),
  );
}

/** The same; none of those that deny. */
function silence({ environment: { keyVault } }: Run, vaults: number): Promise<number> {
  return eachOf(vaults, { every: SILENT_EACH, from: 0 }, (vault) =>
    keyVault.call('PATCH', vault, { latencyMs: 60_000 }),
  );
}

async function eachOf(
  vaults: number,
  { every, from }: { readonly every: number; readonly from: number },
  change: (vault: string) => Promise<unknown>,
): Promise<number> {
  let changed = 0;
  for (let n = from; n < vaults; n += every) {
    await change(`/vaults/${customerHost(n)}`);
    changed += 1;
  }
  return changed;
}
