// Properties of the row codecs: what is written comes back, also through the store's JSON; a row that somebody tampered with is
// read, or is a MalformedRow or undefined as its reader says, and never anything else.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { healthBody, healthToBody } from '../../functions/http/resources/connections/look-bodies.ts';
import { switchBody, switchToBody } from '../../functions/http/resources/switches/bodies.ts';
import { entityJson, storedRow } from '../../shared/adapters/table-cells.ts';
import type { CompanyKeyRow } from '../../shared/domain/company-key.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import type { DataKey } from '../../shared/domain/data-key.ts';
import { failure, FAILURE_CODES, FAILURE_OWNERS } from '../../shared/failures.ts';
import { DATA_KEY_ID, RESOURCE_ID } from '../../shared/domain/ids.ts';
import type { Company, Keyring } from '../../shared/domain/keyring.ts';
import type { ProviderRef } from '../../shared/domain/provider.ts';
import { MalformedRow, type Cells } from '../../shared/store/rows/cells.ts';
import { companyCells, readCompany } from '../../shared/store/rows/company-rows.ts';
import { keyringCells, readKeyring } from '../../shared/store/rows/keyring-rows.ts';
import { readSwitch, switchCells } from '../../shared/store/rows/switch-rows.ts';
import { dataKeyCells, readDataKey, readShard, shardCells } from '../../shared/store/rows/data-rows.ts';
import { exportCells, readExportState, type SealedExportState } from '../../shared/store/rows/export-rows.ts';
import { healthCells, readHealth } from '../../shared/store/rows/health-rows.ts';
import {
  companyKeyCells,
  connectionCells,
  readCompanyKey,
  readConnection,
} from '../../shared/store/rows/sealed-rows.ts';
import { readTenant, readVerification, tenantCells, verificationCells } from '../../shared/store/rows/tenant-rows.ts';
import { tenantRowKey } from '../../shared/store/rows/row-keys.ts';
import type { Tenant } from '../../shared/domain/tenant.ts';
import { TENANT_KIND_NAMES } from '../../shared/identity/registry/tenant-kinds.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import type { Shard } from '../../shared/domain/shard.ts';
import type { Switch } from '../../shared/domain/switch.ts';
import { VAULT_STATES, type VaultHealth } from '../../shared/domain/health.ts';
import { tampered } from './hostile.ts';

const RUNS = { numRuns: 300 };

const id = fc.stringMatching(RESOURCE_ID);
const words = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
const at = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
  .map((date) => date.toISOString());
const whole = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 100 });
const code = fc.constantFrom(...FAILURE_CODES);
const ref: fc.Arbitrary<ProviderRef> = fc.oneof(
  fc.constant({ provider: 'managed' as const }),
  id.map((connectionId) => ({ provider: 'azure-key-vault' as const, connectionId })),
);
const seal = fc.record({ keyVersion: words, signature: words });

const someCompany = { companyId: id, displayName: words, defaultKeyring: id, createdAt: at };
const company: fc.Arbitrary<Company> = fc.oneof(
  fc.record({ ...someCompany, state: fc.constant('active' as const) }),
  fc.record({
    ...someCompany,
    state: fc.constant('closing' as const),
    closing: fc.record({ decided: fc.boolean(), worker: words, until: at }),
  }),
  fc.record({ ...someCompany, state: fc.constant('closed' as const), closedAt: at }),
);

const keyring: fc.Arbitrary<Keyring> = fc.record(
  {
    keyringId: id,
    state: fc.constantFrom('creating', 'ready'),
    shardCount: whole,
    provider: ref,
    activeVersion: whole,
    highVersion: whole,
    generation: whole,
    rollBacks: whole,
    switchId: id,
    createdAt: at,
  },
  {
    requiredKeys: [
      'keyringId',
      'state',
      'shardCount',
      'provider',
      'activeVersion',
      'highVersion',
      'generation',
      'rollBacks',
      'createdAt',
    ],
  },
);

const someFailure = fc
  .tuple(code, words, words)
  .map(([one, detail, message]) => failure(one, { detail, vaultHost: 'a.vault.azure.net' }, { status: 403, message }));
const blocked: fc.Arbitrary<NonNullable<Switch['blocked']>> = fc.oneof(
  fc.record({
    reason: fc.constant('provider' as const),
    since: at,
    side: fc.constantFrom('source' as const, 'target' as const),
    failure: someFailure,
  }),
  fc.record({ reason: fc.constant('dead-letter' as const), since: at, detail: words }),
);
const optional = <T extends object>(parts: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(parts, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const aSwitch: fc.Arbitrary<Switch> = fc
  .tuple(
    fc.record({
      switchId: id,
      keyringId: id,
      kind: fc.constantFrom('switch' as const, 'rekey' as const),
      state: fc.constantFrom('preparing' as const, 're-protecting' as const, 'completed' as const),
      source: ref,
      target: ref,
      fromVersion: whole,
      toVersion: whole,
      generation: whole,
      paused: fc.boolean(),
      denialAccepted: fc.boolean(),
      seal,
      requestedBy: words,
      createdAt: at,
    }),
    fc.oneof(fc.constant({}), fc.record({ turnedAt: at, doneAtTurn: whole })),
    optional<
      Pick<Required<Switch>, 'awaitsConfirmation' | 'removedTenants' | 'blocked' | 'lease' | 'endedAt' | 'finalCounts'>
    >({
      awaitsConfirmation: fc.constant(true as const),
      removedTenants: fc.array(fc.record({ kind: fc.constantFrom(...TENANT_KIND_NAMES), tenantId: id }), {
        minLength: 1,
      }),
      blocked,
      lease: fc.record({ worker: words, until: at }),
      endedAt: at,
      finalCounts: fc.record({ total: whole, quarantined: whole, lost: whole }),
    }),
  )
  .map(([one, turn, more]) => ({ ...one, ...turn, ...more }));

/** A count that was counted wrong may be below none, and must be read all the same. */
const counted = fc.integer({ min: -5, max: 2 ** 31 });
const perVersion: fc.Arbitrary<Record<number, number>> = fc.dictionary(
  fc.nat().map(String),
  counted.filter((count) => count !== 0),
);

const shard: fc.Arbitrary<Shard> = fc.record({
  generation: whole,
  direction: fc.constantFrom('forward', 'back'),
  phase: fc.constantFrom('rewrap', 'verify', 'done'),
  fromVersion: whole,
  writeVersion: whole,
  cursor: fc.oneof(fc.constant(''), words),
  live: counted,
  deleted: counted,
  quarantined: counted,
  lost: counted,
  at: perVersion,
  aside: perVersion,
  uncompared: counted,
  checked: whole,
  vain: whole,
  closed: fc.boolean(),
  touchedAt: at,
});

const dataKey: fc.Arbitrary<DataKey> = fc.record({
  keyId: fc.stringMatching(DATA_KEY_ID),
  state: fc.constantFrom('live', 'deleted', 'quarantined', 'lost', 'tombstone'),
  origin: fc.constantFrom('generated', 'imported'),
  blob: bytes,
  companyKeyVersion: whole,
  previous: bytes,
  previousVersion: whole,
  stateBefore: fc.constantFrom('live', 'deleted', undefined),
  quarantineReason: fc.constantFrom('does-not-open', 'unknown-version', 'differs-after-rewrap', undefined),
  createdBy: words,
  writtenBy: words,
  createdAt: at,
  deletedAt: fc.option(at, { nil: undefined }),
  purgeAfter: fc.option(at, { nil: undefined }),
});

const wrap = fc.record(
  {
    ref,
    host: words,
    keyName: words,
    tenantId: words,
    keyId: words,
    algorithm: fc.constant('RSA-OAEP-256' as const),
    ciphertext: words,
    commitment: words,
    guard: fc.constant(true as const),
    seal,
  },
  { requiredKeys: ['ref', 'host', 'keyName', 'tenantId', 'keyId', 'algorithm', 'ciphertext', 'commitment', 'seal'] },
);
const companyKey: fc.Arbitrary<CompanyKeyRow> = fc.record({
  companyId: id,
  keyringId: id,
  version: whole,
  wraps: fc.array(wrap, { maxLength: 3 }),
  createdAt: at,
});

const connection: fc.Arbitrary<Connection> = fc
  .tuple(
    fc.record({
      connectionId: id,
      provider: words,
      host: words,
      keyName: words,
      credential: fc.record({ kind: fc.constant('federated' as const), clientId: words }),
      seal,
      usedBy: fc.array(words, { maxLength: 4 }),
      createdAt: at,
      keySeen: fc.boolean(),
    }),
    optional<
      Pick<Required<Connection>, 'tenantId' | 'movedFrom' | 'roleAssignedAt' | 'consent' | 'move' | 'testFailed'>
    >({
      testFailed: fc.constantFrom(...FAILURE_CODES),
      tenantId: words,
      roleAssignedAt: at,
      consent: fc.record({ grantedAt: at, adminId: fc.string(), seal }),
      move: fc.record({ grantedAt: at, adminId: fc.string(), tenantId: fc.string(), seal }),
      movedFrom: fc.array(words, { minLength: 1, maxLength: 4 }),
    }),
  )
  .map(([one, more]) => ({ ...one, ...more }));

const health: fc.Arbitrary<VaultHealth> = fc
  .tuple(
    fc.record({
      state: fc.constantFrom(...VAULT_STATES),
      since: at,
      checkedAt: at,
      sightings: whole,
      warnings: fc.subarray([...FAILURE_CODES]),
      keyVersions: fc.array(fc.record({ keyId: words, createdAt: at, expiresAt: at }, { requiredKeys: ['keyId'] }), {
        maxLength: 3,
      }),
    }),
    optional<Pick<Required<VaultHealth>, 'lastGoodAt' | 'code' | 'owner' | 'message'>>({
      lastGoodAt: at,
      code,
      owner: fc.constantFrom('company-admin', 'azure-admin', 'vendor'),
      message: words,
    }),
  )
  .map(([one, more]) => ({ ...one, ...more }));

const tenantRef = { kind: fc.constantFrom(...TENANT_KIND_NAMES), tenantId: id };
const tenant: fc.Arbitrary<Tenant> = fc.record({ ...tenantRef, registeredAt: at });
const verification: fc.Arbitrary<Verification> = fc.record({
  ...tenantRef,
  approval: words,
  destination: words,
  verifiedAt: at,
  adminId: words,
  adminName: words,
  seal,
});

const exportState: fc.Arbitrary<SealedExportState> = fc.record(
  { round: whole, allowanceUntil: at, seal },
  { requiredKeys: ['round', 'seal'] },
);

/** A row as it comes back from Table Storage. */
function stored(cells: Cells): Cells {
  const entity = JSON.parse(entityJson('partition', 'row', cells)) as object;
  const read = storedRow({ ...entity, 'odata.etag': 'W/"1"' }, 'partition')?.cells ?? {};
  const bytesOfView = (value: unknown): unknown => (value instanceof Uint8Array ? Uint8Array.from(value) : value);
  return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, bytesOfView(value)])) as Cells;
}

interface Codec<T> {
  readonly rows: fc.Arbitrary<T>;
  readonly write: (row: T) => Cells;
  readonly read: (cells: Cells, row?: T) => T | undefined;
}

function codec<T>(name: string, { rows, write, read }: Codec<T>): void {
  describe(`${name} rows`, () => {
    test('come back as they were written, also through the JSON of the store', () => {
      fc.assert(
        fc.property(rows, (row) => {
          expect(read(write(row), row)).toEqual(row);
          expect(read(stored(write(row)), row)).toEqual(row);
        }),
        RUNS,
      );
    });

    test('that were tampered with are read, malformed or none, and nothing else happens', () => {
      fc.assert(
        fc.property(tampered(rows.map(write)), (cells) => {
          try {
            read(cells);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(MalformedRow);
          }
        }),
        RUNS,
      );
    });
  });
}

const PLACE = { companyId: 'acme', keyringId: 'default', version: 1 };

codec('company', { rows: company, write: companyCells, read: readCompany });
codec('keyring', { rows: keyring, write: keyringCells, read: readKeyring });
codec('switch', { rows: aSwitch, write: switchCells, read: readSwitch });
codec('shard', { rows: shard, write: (row) => shardCells(row, 'worker'), read: readShard });
codec('data-key', { rows: dataKey, write: dataKeyCells, read: (cells, row) => readDataKey(row?.keyId ?? 'a', cells) });
codec('company-key', {
  rows: companyKey,
  write: companyKeyCells,
  read: (cells, row) => readCompanyKey(cells, row ?? PLACE),
});
codec('connection', {
  rows: connection,
  write: connectionCells,
  read: (cells, row) => readConnection(cells, { companyId: 'acme', connectionId: row?.connectionId ?? 'a' }),
});
codec('tenant', {
  rows: tenant,
  write: tenantCells,
  read: (cells, row) => readTenant(cells, row ? tenantRowKey(row) : 'tenant|microsoft-365|a'),
});
codec('verification', {
  rows: verification,
  write: verificationCells,
  read: (cells, row) =>
    readVerification(cells, row ?? { kind: 'microsoft-365', tenantId: 'a', approval: 'switch|default|s1' }),
});
codec('export', {
  rows: exportState,
  write: exportCells,
  read: (cells) => readExportState(cells, 'default'),
});
codec('health', { rows: health, write: healthCells, read: readHealth });

test('data-key rows that were tampered with are still read, by their name', () => {
  fc.assert(
    fc.property(tampered(dataKey.map(dataKeyCells)), (cells) => {
      expect(readDataKey('its-name', cells).keyId).toBe('its-name');
    }),
    RUNS,
  );
});

test('sealed rows that were tampered with never throw', () => {
  fc.assert(
    fc.property(tampered(companyKey.map(companyKeyCells)), tampered(connection.map(connectionCells)), (key, link) => {
      readCompanyKey(key, PLACE);
      readConnection(link, { companyId: 'acme', connectionId: 'a' });
    }),
    RUNS,
  );
});

test.each(['tenant|Git Hub|a', 'tenant|microsoft-365', 'tenant|microsoft-365|', 'tenant|microsoft-365|a|b', 'tenant|'])(
  'a tenant under the row key %s is malformed, and not left out',
  (rowKey) => {
    const cells = tenantCells({ kind: 'microsoft-365', tenantId: 'a', registeredAt: 'then' });
    expect(() => readTenant(cells, rowKey)).toThrow(MalformedRow);
  },
);

describe('what rows hold that is not sealed', () => {
  /** A name that no area of this version declares. */
  const otherName = fc
    .stringMatching(/^[a-z]{1,9}(-[a-z]{1,9})?$/)
    .filter(
      (name) => !FAILURE_CODES.some((known) => known === name) && !FAILURE_OWNERS.some((known) => known === name),
    );
  const otherFailure = fc
    .tuple(
      someFailure,
      fc.record(
        {
          code: otherName,
          owner: otherName,
          kind: otherName,
          remedy: fc.dictionary(fc.constantFrom('text', 'azureCli', 'portal', 'cloudCli'), words),
          facts: fc.dictionary(fc.constantFrom('suggestedVaultUri', 'suggestedKeyName'), fc.oneof(words, fc.boolean())),
          becomesDeniedAt: fc.oneof(words, at),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([real, other]) => ({ ...real, ...other }));
  const broken = (of: fc.Arbitrary<object>): fc.Arbitrary<Cells> => tampered(of as fc.Arbitrary<Cells>);

  const waiting = fc.oneof(
    broken(fc.record({ reason: fc.constantFrom('provider', 'key-not-kept'), since: at, side: fc.constant('source') })),
    broken(fc.record({ reason: fc.constant('counts-differ'), since: at })),
    broken(fc.record({ reason: fc.constant('dead-letter'), since: at, detail: words })),
  );
  const switchWithOther = fc
    .tuple(aSwitch, waiting, otherFailure, fc.boolean())
    .map(([row, cells, found, isBlocked]): Cells => {
      const cell = JSON.stringify({ ...cells, failure: found });
      return {
        ...switchCells(row),
        ...(isBlocked ? { blocked: cell } : { paused: false, blocked: '', trouble: cell }),
      };
    });

  test('is shown of a switch as the API describes it, or is left out', () => {
    fc.assert(
      fc.property(switchWithOther, (cells) => {
        const progress = { total: 0, done: 0, checked: 0, quarantined: 0, lost: 0 };
        const view = { ...readSwitch(cells), progress, quarantine: [], unverifiedTenants: [] };
        const { blocked: block, waitsFor } = switchToBody(view, { isVendorAdmin: true });
        const { blocked: blockBody, waitsFor: waitsForBody } = switchBody.shape;
        expect([blockBody.safeParse(block).error, waitsForBody.safeParse(waitsFor).error]).toEqual([
          undefined,
          undefined,
        ]);
      }),
      RUNS,
    );
  });

  test('is shown of a vault as the API describes it, or is left out', () => {
    const rows = fc
      .tuple(health, otherFailure, fc.array(otherName))
      .map(([row, { code: name, owner, remedy }, more]): Cells => {
        const remedies = JSON.stringify(remedy);
        return {
          ...healthCells(row),
          code: name,
          owner,
          remedy: remedies,
          warnings: JSON.stringify([...row.warnings, ...more]),
        };
      });
    fc.assert(
      fc.property(rows, (cells) => {
        expect(healthBody.safeParse(healthToBody(readHealth(cells), { isVendorAdmin: true })).error).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('is none when its failure is a text without sense', () => {
    const [row] = fc.sample(aSwitch, { numRuns: 1, seed: 1 });
    if (!row) throw new Error('no sample');
    const waiting = { reason: 'provider', since: '2026-01-01T00:00:00.000Z', side: 'source', failure: { code: 'x' } };
    expect(readSwitch({ ...switchCells(row), blocked: JSON.stringify(waiting) }).blocked).toBeUndefined();
  });
});
