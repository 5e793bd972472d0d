// docs/storage.md against the rows that the operations really leave: every row is described, with exactly its cells and types,
// and nothing is described that no row has.
import { beforeAll, describe, expect, it } from 'vitest';
import { walkAgenda } from '../../shared/store/agenda-walk.ts';
import { countCall } from '../../shared/store/call-limit.ts';
import { putPolicy } from '../../shared/operations/companies/policy.ts';
import { noteUnwraps } from '../../shared/operations/audit/note-unwraps.ts';
import { putCompany } from '../../shared/operations/companies/companies.ts';
import { testConnection } from '../../shared/operations/connections/connection-test.ts';
import { putConnection } from '../../shared/operations/connections/connections.ts';
import { deleteDataKey } from '../../shared/operations/data-keys/delete.ts';
import { deleteCompany } from '../../shared/operations/companies/delete-company.ts';
import { recordPoison } from '../../shared/operations/switches/poison.ts';
import { MAX_POISON_PER_DAY } from '../../shared/operations/switches/poison.ts';
import { poisonSlotRowKey, SYSTEM_PARTITION } from '../../shared/store/rows/row-keys.ts';
import type { Cell, Cells, TableName } from '../../shared/store/tables.ts';
import { beginRequest, endRequest } from '../../shared/store/requests.ts';
import { cancelSwitch } from '../../shared/operations/switches/steer.ts';
import { tidySignIns } from '../../shared/operations/sign-ins/tidy.ts';
import { startSwitch } from '../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../shared/operations/switches/sweep.ts';
import { sweepKept } from '../../shared/operations/switches/sweep-kept.ts';
import { acceptLoss } from '../../shared/operations/switches/quarantine.ts';
import { destinationOf } from '../../shared/operations/tenants/destination.ts';
import { deleteTenant, putTenant } from '../../shared/operations/tenants/tenants.ts';
import { recordVerification } from '../../shared/operations/tenants/verifications.ts';
import { sweepSeals } from '../../shared/operations/keys/reseal.ts';
import { requestRedelivery } from '../../shared/operations/notifications/redeliver.ts';
import { sweepNotifications } from '../../shared/operations/notifications/sweep-notifications.ts';
import { putWebhook } from '../../shared/operations/notifications/webhooks.ts';
import { sweepHeads } from '../../shared/operations/audit/sign-heads.ts';
import { sweepPurges } from '../../shared/operations/companies/sweep-purges.ts';
import { SETTLED_AFTER_MS } from '../../shared/store/rows/resealing-rows.ts';
import { followVendorKey } from '../../shared/operations/watch/vendor-key.ts';
import { checkRound } from '../operations/watch/round.ts';
import { claimVaultKey, releaseClaim } from '../../shared/operations/connections/vault-claims.ts';
import { parseNcrontab } from '../../shared/domain/ncrontab.ts';
import type { Log } from '../../shared/domain/ports.ts';
import { repairStandings } from '../../shared/operations/watch/repair-standings.ts';
import { sayInstanceLives, type Living } from '../../shared/operations/watch/instances.ts';
import { TimerTurns } from '../../shared/operations/watch/timer-turns.ts';
import { ADMIN, actorNamed } from '../fakes/actors.ts';
import { FakeReceivers } from '../fakes/fake-receivers.ts';
import { FakeSignIns } from '../fakes/fake-sign-ins.ts';
import { COMPANY, DAY_MS, KEYRING, PLACE, RESTORE_DAYS, World } from '../operations/data-keys/world.ts';
import { POLICY } from '../fixtures/policy.ts';
import { API_URL, HOST, requestOf } from '../operations/notifications/request.ts';
import { globalAdminOf, Walk } from '../operations/sign-ins/walk.ts';
import { readPage, sections, tableRows } from './markdown.ts';

interface Described {
  readonly table: string;
  readonly rowKey: string;
  readonly cells: ReadonlyMap<string, string>;
  readonly mayBeAbsent: ReadonlySet<string>;
}

interface Stored {
  readonly table: string;
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly cells: Cells;
}

const unquoted = (text: string): string => /^`(.*)`$/.exec(text.trim())?.[1] ?? text;

const page = readPage('docs/storage.md');
const tables = sections(page, 2).map(({ title }) => unquoted(title));
const described: readonly Described[] = sections(page, 2).flatMap((table) =>
  sections(table.body, 3).map((row) => {
    const rows = tableRows(row.body);
    return {
      table: unquoted(table.title),
      rowKey: unquoted(row.title),
      cells: new Map(rows.map(([name = '', type = '']) => [unquoted(name), type])),
      mayBeAbsent: new Set(
        rows.filter((cells) => cells.join(' ').includes('absent')).map(([name = '']) => unquoted(name)),
      ),
    };
  }),
);

const CUSTOMER_TENANT = '22222222-2222-4222-8222-222222222222';
const ID = '[A-Za-z0-9._-]+';
const PATTERNS: Readonly<Record<string, string>> = {
  version: '\\d{10}',
  by: '(?:state|owner|code|word)',
  value: '[^|]+',
  hash: '[0-9a-f]{64}',
  kind: '(?:test|consent|verify|export|switch|retry|steer|cancel|connection|keyring|check|events|links|webhook)',
  tenantKind: '(?:microsoft-365|google-workspace)',
  approval: `(?:switch\\|${ID}\\|${ID}|export\\|${ID}\\|\\d+\\|[A-Za-z0-9_-]+)`,
  slot: '\\d\\d',
  sequence: '\\d{16}',
  outbox: '[A-Za-z0-9._-]+(?:\\|[A-Za-z0-9._-]+)*',
  what: `(?:company|keyring\\|${ID})`,
  reverseTime: '\\d{13}',
  codeOrState: '[a-z-]+',
  purgeAfter: '\\d{4}-[0-9TZ:.-]+',
  expiresAt: '\\d{4}-[0-9TZ:.-]+',
  keyId: 'key-\\d+',
  holder: '(?:connection|webhook)',
  job: '(?:switch|purge|outbox|head|notify(?:-head)?-(?:own|all)|vendor-key)',
  lane: '(?:quick|silent)',
  bucket: '\\d\\d',
};

const rowKeyPattern = (template: string): RegExp =>
  new RegExp(
    `^${template
      .split(/(\{\w+\})/)
      .map((part) => {
        const name = /^\{(\w+)\}$/.exec(part)?.[1];
        return name === undefined ? part.replaceAll('|', '\\|') : (PATTERNS[name] ?? ID);
      })
      .join('')}$`,
  );

/** The most telling of the descriptions that fit: one with the longest fixed text. */
function descriptionOf(row: Stored): Described | undefined {
  const fixed = ({ rowKey }: Described): number => rowKey.replaceAll(/\{\w+\}/g, '').length;
  return described
    .filter(({ table, rowKey }) => table === row.table && rowKeyPattern(rowKey).test(row.rowKey))
    .toSorted((a, b) => fixed(b) - fixed(a))[0];
}

function isOfType(value: Cell | undefined, type: string | undefined): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'json':
      return typeof value === 'string' && (value === '' || JSON.parse(value) !== undefined);
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'bytes':
      return value instanceof Uint8Array;
    case undefined:
    default:
      return false;
  }
}

async function leaveHeartbeats(deps: Living & { readonly log: Log }): Promise<void> {
  await sayInstanceLives(deps);
  const schedule = parseNcrontab('0 * * * * *');
  const timer = { schedule, limitMs: 60_000, jobs: [] };
  const turns = new TimerTurns(deps, { sweep: timer, 'vault-checks': timer, audit: timer, notifications: timer });
  await turns.expectTurns();
  await turns.bySchedule('sweep');
}

/** Every kind of row, as the operations write it; looked at again and again, since many do not stay. */
async function storedRows(): Promise<readonly Stored[]> {
  const seen: Stored[] = [];
  const world = await World.withCompany();
  const look = (): void => void seen.push(...world.store.dump());
  // Events on their way are there only until they are appended.
  world.tables.at(({ table }) => table === 'events').comesAfter(look);
  const deps = {
    ...world.host,
    signIns: new FakeSignIns(world.host.clock),
    signInTimes: { linkMs: 3_600_000, stepMs: 600_000 },
    checkConcurrency: 1,
    unusualKeys: 10_000,
    keyPolicy: { propagationMs: 0 },
    version: '1.2.3',
    instance: 'instance-1',
    storeClock: { aheadMs: () => 0 },
  } as const;
  const connection = { companyId: COMPANY, connectionId: 'main' };
  const target = { provider: 'azure-key-vault', connectionId: 'main' } as const;
  world.vaults.addVault({ host: 'contoso.vault.azure.net', tenantId: CUSTOMER_TENANT });
  world.vaults.addKey({ host: 'contoso.vault.azure.net', keyName: 'main-key', fixture: 'rsa-2048-2' });
  await putCompany(deps, { companyId: 'globex', features: ['customer-keys'] }, ADMIN);
  const policy = { vendorKey: 'allowed', keyringsPerProvider: 'any', minRsaBits: 3072 } as const;
  await putPolicy(deps, { companyId: 'globex', policy }, ADMIN);
  await deleteCompany(deps, { companyId: 'globex' }, ADMIN);
  look();

  await world.generate(Array.from({ length: 40 }, (_, index) => ({ keyId: `key-${index}` })));
  await deleteDataKey(deps, { ...PLACE, keyId: 'key-0' });
  await world.tamper('key-1', { blob: new Uint8Array(60) });
  const input = {
    vaultUri: 'https://contoso.vault.azure.net',
    keyName: 'main-key',
    credential: { kind: 'federated' },
  } as const;
  await putConnection(deps, { ...connection, input, condition: {} }, ADMIN);
  await new Walk(deps).through(connection, globalAdminOf(CUSTOMER_TENANT));
  look();
  await testConnection(deps, { ...connection, roleAssigned: true }, ADMIN);
  await countCall(deps, { companyId: COMPANY, kind: 'test' });
  const day = deps.clock.now().toISOString().slice(0, 10);
  for (let slot = 1; slot < MAX_POISON_PER_DAY; slot += 1)
    world.store.tamper('companies', SYSTEM_PARTITION, poisonSlotRowKey(slot), { format: 1, day });
  for (const value of ['recorded', 'counted']) await recordPoison(deps, { reason: 'a test', value });
  // So many counts that are over that one look does not do.
  for (let index = 0; index < 101; index += 1) {
    const minute = '2020-01-01T00:00:00.000Z';
    const cells = { format: 1, minute, calls: 1, expiresAt: minute };
    world.store.tamper('companies', COMPANY, `consent|limit|${String(index).padStart(64, '0')}`, cells);
  }
  await tidySignIns(deps, COMPANY);
  const begun = await beginRequest(deps, { companyId: COMPANY, caller: 'c', route: 'r', key: 'k', body: 'b' });
  if (begun.ok) await world.generate([{ keyId: 'key-99', plaintext: Buffer.alloc(32, 9) }], { request: begun.value });
  if (begun.ok) await endRequest(deps, COMPANY, begun.value);
  look();

  // A claim that nothing depends on, and its release.
  const unused = { host: 'contoso.vault.azure.net', keyName: 'unused' };
  await claimVaultKey(deps, { companyId: COMPANY, ...unused });
  await releaseClaim(deps, unused, ADMIN);

  await followVendorKey(deps);
  await noteUnwraps(deps, COMPANY, { minute: 30_000_000, keys: 1, name: 'instance-1|30000000' });
  look();

  // A switch that waits for a tenant until it is verified, and is cancelled.
  const tenant = { kind: 'google-workspace', tenantId: 'contoso.com' } as const;
  const approval = { for: 'switch', keyringId: KEYRING, switchId: 's0' } as const;
  await putTenant(deps, { companyId: COMPANY, ...tenant, condition: {} }, ADMIN);
  await startSwitch(deps, { companyId: COMPANY, keyringId: KEYRING, switchId: 's0', target }, ADMIN);
  const leadsTo = await destinationOf(deps, { companyId: COMPANY, approval });
  const destination = leadsTo.ok ? leadsTo.value.digest : '';
  const admin = { id: `${tenant.tenantId}/an-admin`, name: 'Ann', customerId: 'C03abc123' };
  await recordVerification(deps, { companyId: COMPANY, approval, ...tenant, destination, admin }, ADMIN);
  await cancelSwitch(deps, { companyId: COMPANY, keyringId: KEYRING, switchId: 's0' }, ADMIN);
  look();
  await deleteTenant(deps, { companyId: COMPANY, ...tenant, condition: {} }, ADMIN);

  // Forward until a row is quarantined, back, and forward again with that row out of the way.
  const place = { companyId: COMPANY, keyringId: KEYRING };
  await startSwitch(deps, { ...place, switchId: 's1', target }, actorNamed('test'));
  await world.work(() => {
    look();
    return false;
  });
  await acceptLoss(deps, { ...place, switchId: 's1', keyId: 'key-1' }, ADMIN);
  await cancelSwitch(deps, { ...place, switchId: 's1' }, ADMIN);
  await world.work();
  look();
  await startSwitch(deps, { ...place, switchId: 's2', target }, actorNamed('test'));
  await sweepSwitches({ ...world.host, stuckAfterMs: 0 });
  look();
  await world.work(() => {
    look();
    return false;
  });

  await checkRound(deps);
  look();
  // A newer version of the customer's key is followed.
  world.vaults.addKey({ host: 'contoso.vault.azure.net', keyName: 'main-key', fixture: 'rsa-2048-4' });
  world.clock.advance(300_000);
  await checkRound(deps);
  look();
  world.vaults.fail({ operation: 'readKey', failure: 'key-disabled' });
  world.clock.advance(300_000);
  await checkRound(deps);
  look();
  world.clock.advance((RESTORE_DAYS + 1) * DAY_MS);
  await sweepPurges(deps);
  await sweepKept(deps);
  // A webhook that is told in vain until an event is given up, which is asked for again.
  const receivers = new FakeReceivers();
  const notifying = world.startHost(
    { ...POLICY, apiUrl: API_URL, webhookHosts: [] },
    { tables: world.tables, beside: { webhookSender: receivers } },
  );
  const webhook = { companyId: COMPANY, webhookId: 'siem' };
  receivers.fail(HOST);
  world.vaults.heal();
  await putWebhook(notifying, requestOf(webhook), ADMIN);
  look();
  world.clock.advance(SETTLED_AFTER_MS);
  await followVendorKey(deps);
  look();
  await sweepNotifications(notifying);
  look();
  world.clock.advance(4 * DAY_MS);
  await sweepNotifications(notifying);
  await requestRedelivery(notifying, webhook, ADMIN);
  look();
  // A look that takes so long that the slice ends after it.
  await walkAgenda(deps, { kind: 'head', lanes: 1, budgetMs: 1 }, () => Promise.resolve((world.clock.advance(1), 0)));
  await leaveHeartbeats(deps);
  await repairStandings(deps);
  await sweepHeads(deps);
  await sweepSeals(deps);
  look();
  return seen;
}

describe('docs/storage.md', () => {
  let stored: readonly Stored[];

  beforeAll(async () => {
    stored = await storedRows();
  });

  it('describes every table, and no other', () => {
    const names: readonly TableName[] = [
      'companies',
      'datakeys',
      'vaultkeys',
      'requests',
      'agenda',
      'events',
      'health',
    ];
    expect(tables.toSorted()).toEqual(names.toSorted());
  });

  it('describes every row that is written', () => {
    const unknown = stored.filter((row) => !descriptionOf(row)).map(({ table, rowKey }) => `${table}: ${rowKey}`);
    expect([...new Set(unknown)]).toEqual([]);
  });

  it.each(described)('says of $table, $rowKey which cells it has, and of which type', (description) => {
    const rows = stored.filter((row) => descriptionOf(row) === description);
    expect(rows).not.toEqual([]);
    for (const { cells } of rows) {
      const undescribed = Object.keys(cells).filter((name) => !isOfType(cells[name], description.cells.get(name)));
      expect(undescribed).toEqual([]);
      const missing = [...description.cells.keys()].filter((name) => !(name in cells));
      expect(missing.filter((name) => !description.mayBeAbsent.has(name))).toEqual([]);
    }
    // A cell that is sometimes absent must be there at other times.
    const ever = new Set(rows.flatMap(({ cells }) => Object.keys(cells)));
    expect([...description.cells.keys()].filter((name) => !ever.has(name))).toEqual([]);
  });
});
