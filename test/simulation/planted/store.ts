// Bugs of the store and what answers for it.
import { bug, COUNTS_NOT_COMPARED, inFile, type PlantedBug } from './bug.ts';

export const IN_STORE: readonly PlantedBug[] = [
  bug(
    "the shard's row is written without If-Match",
    1,
    inFile('shared/store/shard-rows.ts', ['  etag: guard.etag,\n});', "  etag: '*',\n});"]),
  ),
  bug(
    'a turn misses one shard',
    1,
    inFile('shared/store/shard-rows.ts', ['length: shardCount }', 'length: shardCount - 1 }']),
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
    'an event is not put on the agenda before its act',
    3,
    inFile('shared/store/recorded-write.ts', [
      'if (!this.#place) await putOnAgenda(this.#deps.tables, outboxItem(place), { at: this.#at });',
      '',
    ]),
  ),
  bug(
    'a record is appended without its marker',
    1,
    inFile('shared/store/append.ts', [
      "    { kind: 'insert', rowKey: markerRowKey(event.id), cells: markerCells(sequence) },\n",
      '',
    ]),
  ),
];
