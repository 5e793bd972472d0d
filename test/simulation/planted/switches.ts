// Bugs of the steps of a switch.
import { bug, COUNTS_NOT_COMPARED, inFile, type PlantedBug } from './bug.ts';

const OVERLOOKS_LAST_ROW = [
  'const page = await pages.read(shard.value.cursor);',
  'const read = await pages.read(shard.value.cursor);\n  const page = read.continuation === undefined ? { ...read, rows: read.rows.slice(0, -1) } : read;',
] as const;

export const IN_SWITCHES: readonly PlantedBug[] = [
  bug(
    "the shard's row is left out of a worker's transaction",
    1,
    inFile('shared/operations/switches/write-rows.ts', [
      'const written = await writeBehindShard(deps.tables, place, {',
      'const leaving = { write: (table, partition, all) => deps.tables.write(table, partition, all.length > 1 ? all.slice(1) : all) };\n    const written = await writeBehindShard(leaving as any, place, {',
    ]),
  ),
  bug(
    'a worker writes data rows without If-Match',
    995,
    inFile('shared/operations/switches/write-rows.ts', [
      'cells: dataKeyChangeCells(change, how.writtenBy), etag };',
      "cells: dataKeyChangeCells(change, how.writtenBy), etag: '*' };",
    ]),
  ),
  bug(
    'a pass overlooks its last row, and no count is compared',
    1,
    inFile('shared/operations/switches/pass.ts', OVERLOOKS_LAST_ROW),
    ...COUNTS_NOT_COMPARED,
  ),
  bug(
    'a pass overlooks its last row, which the counts say, and nobody ever can end the switch',
    1,
    inFile('shared/operations/switches/pass.ts', OVERLOOKS_LAST_ROW),
  ),
  bug(
    'the company key that goes is kept by nobody',
    1,
    inFile('shared/operations/switches/commit.ts', ['    if (kept) tx.put(keptKeyRow, kept, planted, kept);\n', '']),
  ),
  bug(
    'a kept company key goes by date alone',
    27,
    inFile(
      'shared/operations/switches/sweep-kept.ts',
      [
        'if (!shards.every((shard) => isProof(shard, keyring.value))) return undefined;',
        "if (shards.length > 0) return { type: 'unneeded' };",
      ],
      ['keyring.value.switchId !== undefined || !nextToGo(', '!nextToGo('],
    ),
  ),
  bug(
    'a kept company key has no time',
    1,
    inFile('shared/operations/switches/sweep-kept.ts', [
      'value && value.until <= now.toISOString() && !isNeeded',
      'value && !isNeeded',
    ]),
  ),
  bug(
    'the company key that goes stays under the key-encryption keys that it had',
    1,
    inFile('shared/operations/switches/commit.ts', [', { held: goes }];', '];']),
  ),
  bug(
    'a kept company key keeps its wraps too',
    1,
    inFile('shared/store/rows/kept-rows.ts', ['  until,\n});', "  until,\n  wraps: 'of the vault that is left',\n});"]),
  ),
  bug(
    'a version number is used again after a cancel',
    69,
    inFile('shared/operations/switches/gate.ts', [
      'const toVersion = keyring.value.highVersion + 1;',
      'const toVersion = keyring.value.activeVersion + 1;',
    ]),
  ),
  bug(
    'the commit is guarded by ETags that were read after the shards',
    1020,
    inFile(
      'shared/operations/switches/commit.ts',
      ['  const ending = await loadEnding(deps, place);\n', '  let ending = await loadEnding(deps, place);\n'],
      [
        "  const leased = await takeLease(deps, place, ending);\n  if ('type' in leased) return leased;",
        "  ending = await loadEnding(deps, place);\n  if ('type' in ending) return ending;\n  const leased = await takeLease(deps, place, ending);\n  if ('type' in leased) return leased;",
      ],
    ),
  ),
  bug(
    'the commit is written without If-Match',
    521,
    inFile('shared/operations/switches/commit.ts', [
      'const ended = await actOnce(deps, about, (tx) => {',
      "const anyhow = { ...deps, tables: { read: (...at: any) => (deps.tables as any).read(...at), list: (query: any) => deps.tables.list(query), write: (table: any, partition: any, writes: any) => deps.tables.write(table, partition, writes.length < 4 ? writes : writes.map((write: any) => (write.kind === 'insert' ? write : { ...write, etag: '*' }))) } } as any;\n  const ended = await actOnce(anyhow, about, (tx) => {",
    ]),
  ),
  bug(
    'a loss is accepted without asking whether the row opens',
    1962,
    inFile('shared/operations/switches/quarantine.ts', ['if (tried.value.opens) {', 'if (found.key.keyId === "") {']),
  ),
  bug(
    'a quarantined row is dropped',
    1,
    inFile('shared/operations/switches/write-rows.ts', [
      "const write: RowWrite = { kind: 'merge',",
      "const write: RowWrite = quarantined !== undefined ? { kind: 'delete', rowKey, etag } : { kind: 'merge',",
    ]),
  ),
  bug(
    'a follow misses a row that a switch has added',
    9,
    inFile('shared/operations/keys/company-key-rows.ts', [
      'for (const { value, ...found } of listed) {',
      'for (const { value, ...found } of listed.slice(0, 1)) {',
    ]),
  ),
  bug(
    'a follow takes the rows that it saw at first for all there are',
    42,
    inFile(
      'shared/operations/watch/follow-key-version.ts',
      ['if (!written.ok) return written.error;', 'if (!written.ok) continue;'],
      [
        "while these were written.\n    return 'lost-race';",
        'while these were written.\n    return ok({ keyId, rewrapped });',
      ],
    ),
  ),
  bug(
    'a follow writes by upsert',
    640,
    inFile(
      'shared/operations/watch/follow-key-version.ts',
      ['[{ held: row, next }]', "[{ held: { ...row, etag: '*' }, next }]"],
      [
        'return actOnce(deps, about, (tx) => {\n    write(tx);',
        'const upserted = await actOnce(deps, about, (tx) => void write(tx));\n  if (upserted.ok) return upserted;\n  return actOnce(deps, about, (tx) => {\n    tx.insert(companyKeyRow, next, next);',
      ],
    ),
  ),
  bug(
    'the old company key gets no guard wrap',
    1,
    inFile('shared/operations/switches/prepare.ts', [
      'wraps: [...old.value.wraps.filter(isOfSource(sw.value)), ...wraps.old],',
      'wraps: old.value.wraps.filter(isOfSource(sw.value)),',
    ]),
  ),
  bug(
    'the wrap of the vault that is left stays after the commit',
    1,
    inFile('shared/operations/switches/commit.ts', ['wraps: [wrap] }', 'wraps: stays.value.wraps }']),
  ),
  bug(
    'the timer sets nothing going that got stuck',
    136,
    inFile('shared/operations/switches/sweep.ts', ['await enqueue(deps, place, messages.map(triedOnce));', '']),
  ),
  bug(
    'an agenda row is left behind by an attempt whose answer was lost',
    1,
    inFile('shared/operations/switches/agenda.ts', [
      'if (isOld || (await isOfEndedSwitch(tables, item))) await takeOffListed(tables, item);',
      'if (!isOld && (await isOfEndedSwitch(tables, item))) await takeOffListed(tables, item);',
    ]),
  ),
  bug(
    'a switch begins its work without asking its tenants',
    18,
    inFile('shared/operations/switches/gate.ts', ['({ length }) => (held = length)', '() => (held = 0)']),
  ),
  bug(
    'a tenant that comes late does not hold the commit',
    278,
    inFile('shared/operations/switches/ending.ts', ['({ length }) => length', '() => 0']),
  ),
  bug(
    'the commit is not made under the row that tenants merge',
    739,
    inFile('shared/operations/switches/commit.ts', ['    tx.guard(company);\n', '']),
  ),
  bug(
    'a pass opens no row by a kept company key',
    55,
    inFile('shared/operations/switches/pass-keys.ts', [
      'keys.set(version, other.value.key);',
      'if (!other.value.isKept) keys.set(version, other.value.key);',
    ]),
  ),
  bug(
    'the commit is not recorded',
    1,
    inFile('shared/operations/switches/commit.ts', [
      'const ended = await actOnce(deps, about, (tx) => {',
      'const ended = await changeOnce(about && deps, (tx) => {',
    ]),
  ),
  bug(
    'a re-key allows an export',
    1,
    inFile('shared/operations/switches/commit.ts', ["sw.value.kind !== 'switch' || sw.value.state", 'sw.value.state']),
  ),
  bug(
    'a switch that is completed allows no export',
    10,
    inFile('shared/operations/switches/commit.ts', ['    allowed?.(tx);\n', '']),
  ),
];
