// Bugs to plant, each a search and replace on a copy of the product: at least one for each mechanism of the protocol. The simulation must
// find every one of them; what it does not find would not be checked by it.
export interface Patch {
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The first seed to try: for a bug that few seeds find, one shortly before one that does. It saves time and proves no less. */
  readonly from: number;
}

/** Within so many seeds, from its first on, every bug must be found. A change of the product moves what a seed does: the search goes on, and takes longer. */
export const SEEDS_TO_FIND = 1_600;

const SWITCHES = 'shared/operations/switches';
const DATA_KEYS = 'shared/operations/data-keys';

const inFile = (file: string, ...changes: readonly (readonly [find: string, replace: string])[]): Patch[] =>
  changes.map(([find, replace]) => ({ file, find, replace }));

const bug = (name: string, from: number, ...patches: readonly Patch[][]): PlantedBug => ({
  name,
  from,
  patches: patches.flat(),
});

/** Beside another bug: what would then be lost is what the counts are for. */
const COUNTS_NOT_COMPARED = [
  inFile(
    'shared/domain/shard.ts',
    ["if (phase === 'verify' && areDoneAt(shard, writeVersion))", "if (phase === 'verify')"],
    ["if (phase === 'rewrap' && allAreAt(shard, writeVersion))", "if (phase === 'rewrap')"],
  ),
  inFile(
    'shared/domain/switch-machine.ts',
    ["if (differ.length > 0) return { type: 'counts-differ', shards: differ };", ''],
    ['!shard || !mayEndAt(shard, writeVersion)', '!shard || shard.quarantined > 0'],
  ),
];

const OVERLOOKS_LAST_ROW = [
  'const page = await pages.read(shard.value.cursor);',
  'const read = await pages.read(shard.value.cursor);\n  const page = read.continuation === undefined ? { ...read, rows: read.rows.slice(0, -1) } : read;',
] as const;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  bug(
    "the shard's row is left out of a writer's transaction",
    1,
    inFile(`${DATA_KEYS}/shard-plan.ts`, [
      'writes: [shardWrite(next, { etag: shard.etag, writtenBy }), ...rows]',
      "writes: rows.some(({ kind }) => kind === 'insert') ? rows : [shardWrite(next, { etag: shard.etag, writtenBy }), ...rows]",
    ]),
  ),
  bug(
    "the shard's row is left out of a delete's transaction",
    1,
    inFile(`${DATA_KEYS}/shard-plan.ts`, [
      'writes: [shardWrite(next, { etag: shard.etag, writtenBy }), ...rows]',
      "writes: rows.some(({ kind }) => kind === 'merge') ? rows : [shardWrite(next, { etag: shard.etag, writtenBy }), ...rows]",
    ]),
  ),
  bug(
    "the shard's row is left out of a worker's transaction",
    1,
    inFile(`${SWITCHES}/pass-writes.ts`, [
      "const written = await deps.tables.write('datakeys', partition, writes);",
      "const written = await deps.tables.write('datakeys', partition, writes.length > 1 ? writes.slice(1) : writes);",
    ]),
  ),
  bug(
    "the shard's row is written without If-Match",
    1,
    inFile('shared/operations/shard-rows.ts', ['  etag: guard.etag,\n});', "  etag: '*',\n});"]),
  ),
  bug(
    'a worker writes data rows without If-Match',
    995,
    inFile(`${SWITCHES}/pass-writes.ts`, [
      "writes.push({ kind: 'merge', rowKey, cells: dataKeyChangeCells(change, how.writtenBy), etag });",
      "writes.push({ kind: 'merge', rowKey, cells: dataKeyChangeCells(change, how.writtenBy), etag: '*' });",
    ]),
  ),
  bug(
    'a turn to an older generation is allowed',
    4490,
    inFile('shared/domain/shard.ts', ['if (turn.generation <= shard.generation) return undefined;', '']),
    inFile(
      `${SWITCHES}/shard-pass.ts`,
      ['if (shard.value.generation > work.generation) return turnedBeyond(deps, place, { shard, ...work });', ''],
      ['shard.value.generation < work.generation\n', 'shard.value.generation !== work.generation\n'],
    ),
  ),
  bug(
    'a turn misses one shard',
    1,
    inFile('shared/operations/shard-rows.ts', ['length: shardCount }', 'length: shardCount - 1 }']),
  ),
  bug(
    'neither cursor nor done-mark is reset by the turn',
    1,
    inFile('shared/domain/shard.ts', [
      "{ phase: 'rewrap', cursor: '', checked: 0, vain: 0 } as const",
      '{ checked: 0, vain: 0 } as const',
    ]),
  ),
  bug(
    'the cursor is not reset by the turn, the second pass lets rows pass that the first has missed, and no count is compared',
    1,
    inFile('shared/domain/shard.ts', [
      "phase: 'rewrap', cursor: '', checked: 0, vain",
      "phase: 'rewrap', checked: 0, vain",
    ]),
    ...COUNTS_NOT_COMPARED,
    inFile('shared/domain/reprotect-row.ts', [
      "    return movedWhole(pass, row) ?? quarantine(row, 'does-not-open');\n  }\n  // On the way back",
      '    return UNTOUCHED;\n  }\n  // On the way back',
    ]),
  ),
  bug(
    'a pass overlooks its last row, and no count is compared',
    1,
    inFile(`${SWITCHES}/shard-pass.ts`, OVERLOOKS_LAST_ROW),
    ...COUNTS_NOT_COMPARED,
  ),
  bug(
    'a pass overlooks its last row, which the counts say, and nobody ever can end the switch',
    1,
    inFile(`${SWITCHES}/shard-pass.ts`, OVERLOOKS_LAST_ROW),
  ),
  bug(
    'a count is clamped at none',
    1,
    inFile('shared/domain/shard-counts.ts', [
      'if (now === 0) counts.delete(version);',
      'if (now <= 0) counts.delete(version);',
    ]),
  ),
  bug(
    'a row that nobody compared does not keep its shard from being done',
    1,
    inFile('shared/domain/shard.ts', [
      "if (phase === 'verify' && areDoneAt(shard, writeVersion))",
      "if (phase === 'verify' && allAreAt(shard, writeVersion))",
    ]),
    inFile('shared/domain/reprotect-row.ts', [
      'if (same) return { change: { previous: NOTHING, previousVersion: 0 } };',
      'if (same) return UNTOUCHED;',
    ]),
  ),
  bug(
    'the company key that goes is kept by nobody',
    1,
    inFile(`${SWITCHES}/finish.ts`, ['    ...(kept ? [keptWrite(kept, planted)] : []),\n', '']),
  ),
  bug(
    'a kept company key goes by date alone',
    27,
    inFile(
      `${SWITCHES}/sweep-kept.ts`,
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
    inFile(`${SWITCHES}/sweep-kept.ts`, [
      'value && value.until <= now.toISOString() && !isNeeded',
      'value && !isNeeded',
    ]),
  ),
  bug(
    'the company key that goes stays under the key-encryption keys that it had',
    1,
    inFile(`${SWITCHES}/finish.ts`, [
      "    { kind: 'delete', rowKey: companyKeyRowKey(place.keyringId, goes.value.version), etag: goes.etag },\n",
      '',
    ]),
  ),
  bug(
    'a kept company key keeps its wraps too',
    1,
    inFile(`${SWITCHES}/finish.ts`, [
      'cells: keptKeyCells(kept) };',
      "cells: { ...keptKeyCells(kept), wraps: 'of the vault that is left' } };",
    ]),
  ),
  bug(
    'a version number is used again after a cancel',
    69,
    inFile(`${SWITCHES}/prepare.ts`, [
      'const toVersion = keyring.value.highVersion + 1;',
      'const toVersion = keyring.value.activeVersion + 1;',
    ]),
  ),
  bug(
    'the commit is guarded by ETags that were read after the shards',
    1020,
    inFile(
      `${SWITCHES}/finish.ts`,
      ['  const ending = await loadEnding(deps, place);\n', '  let ending = await loadEnding(deps, place);\n'],
      [
        "  const claimed = await claim(deps, place, ending);\n  if ('type' in claimed) return claimed;",
        "  ending = await loadEnding(deps, place);\n  if ('type' in ending) return ending;\n  const claimed = await claim(deps, place, ending);\n  if ('type' in claimed) return claimed;",
      ],
    ),
  ),
  bug(
    'the commit is written without If-Match',
    521,
    inFile(`${SWITCHES}/finish.ts`, [
      "record.write('companies', place.companyId, writes));",
      "record.write('companies', place.companyId, writes.map((write) => (write.kind === 'insert' ? write : { ...write, etag: '*' }))));",
    ]),
  ),
  bug(
    'the commit comes without the second pass',
    1,
    inFile('shared/domain/shard.ts', [
      "if (phase === 'rewrap' && allAreAt(shard, writeVersion)) return { ...shard, phase: 'verify', cursor: '' };",
      "if (phase === 'rewrap' && allAreAt(shard, writeVersion)) return { ...shard, phase: 'done', cursor };",
    ]),
  ),
  bug(
    'a quarantined row is put back to live at its old version',
    341,
    inFile('shared/domain/reprotect-row.ts', [
      'return step && release(row, step);',
      'return step && release(row, row.companyKeyVersion === pass.writeVersion ? step : UNTOUCHED);',
    ]),
  ),
  bug(
    'soft-deleted rows are skipped',
    1,
    inFile(
      'shared/domain/reprotect-row.ts',
      [
        "if (row.state === 'tombstone') return UNTOUCHED;",
        "if (row.state === 'tombstone' || row.state === 'deleted') return UNTOUCHED;",
      ],
      [
        "if (row.state !== 'live' && row.state !== 'deleted') return UNTOUCHED;",
        "if (row.state !== 'live') return UNTOUCHED;",
      ],
    ),
  ),
  bug(
    'a loss is accepted without asking whether the row opens',
    1962,
    inFile(`${SWITCHES}/quarantine.ts`, ['if (tried.value.opens) {', 'if (found.key.keyId === "") {']),
  ),
  bug(
    'quarantined rows do not hold the end',
    1,
    inFile('shared/domain/switch-machine.ts', [
      "if (shards.some((shard) => !shard || !mayEndAt(shard, writeVersion))) return wait('decision');",
      '',
    ]),
  ),
  bug(
    'a quarantined row is dropped',
    1,
    inFile(`${SWITCHES}/pass-writes.ts`, [
      "writes.push({ kind: 'merge', rowKey, cells: dataKeyChangeCells(change, how.writtenBy), etag });",
      "writes.push(quarantined === undefined ? { kind: 'merge', rowKey, cells: dataKeyChangeCells(change, how.writtenBy), etag } : { kind: 'delete', rowKey, etag });",
    ]),
  ),
  bug(
    'a follow misses a row that a switch has added',
    9,
    inFile(`${SWITCHES}/follow-key-version.ts`, [
      'for (const { value, etag } of listed) {',
      'for (const { value, etag } of listed.slice(0, 1)) {',
    ]),
  ),
  bug(
    'a follow takes the rows that it saw at first for all there are',
    42,
    inFile(
      `${SWITCHES}/follow-key-version.ts`,
      [
        "if (written.outcome !== 'committed') return undecided(written);",
        "if (written.outcome !== 'committed') continue;",
      ],
      [
        "while these were written.\n    return 'lost-race';",
        'while these were written.\n    return ok({ keyId: vaultKey.value.keyId, rewrapped });',
      ],
    ),
  ),
  bug(
    'a follow writes by upsert',
    640,
    inFile(`${SWITCHES}/follow-key-version.ts`, [
      "record.write('companies', input.companyId, [write]));",
      "record.write('companies', input.companyId, [{ ...write, etag: '*' }]).then((done) => done.outcome === 'conflict' ? record.write('companies', input.companyId, [{ kind: 'insert', rowKey, cells: write.cells }]) : done));",
    ]),
  ),
  bug(
    'the old company key gets no guard wrap',
    1,
    inFile(`${SWITCHES}/prepare.ts`, [
      'wraps: [...old.value.wraps.filter(isOfSource(sw.value)), ...wraps.old],',
      'wraps: old.value.wraps.filter(isOfSource(sw.value)),',
    ]),
  ),
  bug(
    'callers use the guard wrap',
    1,
    inFile('shared/operations/company-key-cache.ts', [
      'const wrap = wrapInForce(row.value.value);',
      'const wrap = row.value.value.wraps.at(-1);',
    ]),
  ),
  bug(
    'a prepare fills the cache of its host with a key that may lose the race',
    1,
    inFile(`${SWITCHES}/worker-keys.ts`, [
      '  get(\n    companyId: string,',
      "  plant(name: string, key: KeyObject): void {\n    for (const use of ['rewrap', 'verify']) void this.#keys.load(`${name}|${use}`, () => Promise.resolve(ok(key)));\n  }\n\n  get(\n    companyId: string,",
    ]),
    inFile(
      `${SWITCHES}/prepare.ts`,
      [
        '    return await store(deps, place, control, wraps.value);',
        "    const { generation } = control.keyring.value;\n    (deps as any).workerKeys.plant([place.companyId, place.keyringId, place.switchId, generation + 1, control.sw.value.toVersion].join('|'), createSecretKey(companyKey));\n    return await store(deps, place, control, wraps.value);",
      ],
      [
        "import type { Auditing } from '../audit/append.ts';",
        "import { createSecretKey } from 'node:crypto';\nimport type { Auditing } from '../audit/append.ts';",
      ],
    ),
  ),
  bug(
    'the lost answer of a new key is taken for a success',
    1,
    inFile(`${DATA_KEYS}/settle-batch.ts`, [
      'if (sent.lostAnswer && (await isOurs(deps, place, plan))) {',
      'if (sent.lostAnswer) {',
    ]),
  ),
  bug(
    'the wrap of the vault that is left stays after the commit',
    1,
    inFile(`${SWITCHES}/finish.ts`, ['wraps: [wrap] }', 'wraps: stays.value.wraps }']),
  ),
  bug(
    'a denial by the vault in force stops no switch',
    1336,
    inFile(`${SWITCHES}/worker-keys.ts`, ['if (!mayUseOther(sw, wrap, key.error)) return err(found);', '']),
    inFile(`${SWITCHES}/finish.ts`, ['  if (denied) return denied;\n', '']),
  ),
  bug(
    'a company key is kept for ever',
    1,
    inFile('shared/operations/company-key-cache.ts', ['{ ttlMs, maxEntries }', '{ ttlMs: Infinity, maxEntries }']),
  ),
  bug(
    'a vault that cannot be reached counts as one that denies',
    1,
    inFile('shared/domain/failure.ts', [
      "return failure.kind === 'transient' || failure.kind === 'propagating';",
      "return failure.kind === 'propagating';",
    ]),
  ),
  bug(
    'an answer without its list is taken for an empty page, and no count is compared',
    1,
    inFile('shared/adapters/table-answer.ts', [
      "if (!Array.isArray(value) || value.length > range.top) throw new NotAnAnswer('no list, or too long a one');",
      'if (!Array.isArray(value)) return { rows: [] };',
    ]),
    ...COUNTS_NOT_COMPARED,
  ),
  bug(
    'the timer sets nothing going that got stuck',
    136,
    inFile(`${SWITCHES}/sweep.ts`, ['await enqueue(deps, place, messages.map(triedOnce));', '']),
  ),
  bug(
    'an agenda row is left behind by an attempt whose answer was lost',
    1,
    inFile(`${SWITCHES}/switch-agenda.ts`, [
      'if (isOld || (await isOfEndedSwitch(tables, item))) await takeOffListed(tables, item);',
      'if (!isOld && (await isOfEndedSwitch(tables, item))) await takeOffListed(tables, item);',
    ]),
  ),
  bug(
    'a plaintext key is written into its row',
    1,
    inFile(`${DATA_KEYS}/planned-key.ts`, [
      'createdBy: this.#requestId,',
      "createdBy: `${this.#requestId}.${Buffer.from(this.plaintext).toString('hex')}`,",
    ]),
  ),
  bug(
    'each page opens its company keys anew',
    20,
    inFile(`${SWITCHES}/worker-keys.ts`, ['return this.#keys.get(nameOf(', 'return this.#keys.load(nameOf(']),
  ),
  bug(
    'a switch begins its work without asking its tenants',
    18,
    inFile(`${SWITCHES}/leave-verification.ts`, ['({ length }) => (held = length)', '() => (held = 0)']),
  ),
  bug(
    'a tenant that comes late does not hold the commit',
    278,
    inFile(`${SWITCHES}/finish.ts`, ['({ length }) => length', '() => 0']),
  ),
  bug(
    'the commit is not made under the row that tenants merge',
    739,
    inFile(`${SWITCHES}/finish.ts`, ['    guardCompany(company),\n', '']),
  ),
  bug(
    'what a vault unwraps is not compared with what its wrap commits to',
    1,
    inFile('shared/domain/company-key.ts', ['    if (!sameBytes(actual, expected)) return undefined;\n', '']),
  ),
  bug(
    'a new wrap is stored that its vault does not open',
    44,
    inFile('shared/operations/wrap-company-key.ts', ['return back.ok ? wrap : back;', 'return wrap;']),
  ),
  bug(
    'no reader looks for a kept company key',
    55,
    inFile(`${DATA_KEYS}/unwrap.ts`, [
      'const key = await keptKeys.get({ companyId, keyringId, version });',
      'const key = await keptKeys.get({ companyId, keyringId, version: 0 });',
    ]),
  ),
  bug(
    'a pass opens no row by a kept company key',
    55,
    inFile(`${SWITCHES}/shard-pass.ts`, [
      'keys.set(version, other.value.key);',
      'if (!other.value.isKept) keys.set(version, other.value.key);',
    ]),
  ),
  bug(
    'the commit is not recorded',
    1,
    inFile(`${SWITCHES}/finish.ts`, [
      "record.write('companies', place.companyId, writes));",
      "record && deps.tables.write('companies', place.companyId, writes));",
    ]),
  ),
  bug(
    'an event is not put on the agenda before its act',
    3,
    inFile('shared/operations/audit/audited.ts', [
      'if (!this.#place) await putOnAgenda(this.#deps.tables, outboxItem(place), { at: this.#at });',
      '',
    ]),
  ),
  bug(
    'a record is appended without its marker',
    1,
    inFile('shared/operations/audit/append.ts', [
      "    { kind: 'insert', rowKey: markerRowKey(event.id), cells: markerCells(sequence) },\n",
      '',
    ]),
  ),
  bug(
    'a re-key allows an export',
    1,
    inFile(`${SWITCHES}/finish.ts`, ["sw.value.kind !== 'switch' || sw.value.state", 'sw.value.state']),
  ),
  bug(
    'a switch that is completed allows no export',
    10,
    inFile(`${SWITCHES}/finish.ts`, [
      'return written.ok ? ok([written.value]) : written;',
      'return written.ok ? ok([]) : written;',
    ]),
  ),
  bug(
    'a host whose clock is weeks ahead purges what can be restored',
    1,
    inFile(`${DATA_KEYS}/purge.ts`, ['    deps.clockGuard.assertAgrees(now);\n', '']),
  ),
];
