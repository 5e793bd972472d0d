// Bugs of callers' data keys.
import { bug, inFile, type PlantedBug } from './bug.ts';

export const IN_DATA_KEYS: readonly PlantedBug[] = [
  bug(
    "the shard's row is left out of a writer's transaction",
    1,
    inFile('shared/operations/data-keys/settle-batch.ts', [
      '=> writeBehindShard(tables, place, change);',
      `=> change.rows?.some(({ kind }) => kind === 'insert') ? tables.write('datakeys', partition, change.rows) : writeBehindShard(tables, place, change); const partition = [place.companyId, place.keyringId, place.shard].join('|');`,
    ]),
  ),
  bug(
    "the shard's row is left out of a delete's transaction",
    1,
    inFile('shared/operations/data-keys/settle-batch.ts', [
      '=> writeBehindShard(tables, place, change);',
      `=> change.rows?.some(({ kind }) => kind === 'merge') ? tables.write('datakeys', partition, change.rows) : writeBehindShard(tables, place, change); const partition = [place.companyId, place.keyringId, place.shard].join('|');`,
    ]),
  ),
  bug(
    'the lost answer of a new key is taken for a success',
    1,
    inFile('shared/operations/data-keys/settle-batch.ts', [
      'if (sent.lostAnswer && (await isOurs(deps, place, plan))) {',
      'if (sent.lostAnswer) {',
    ]),
  ),
  bug(
    'a plaintext key is written into its row',
    1,
    inFile('shared/operations/data-keys/generate.ts', [
      'createdBy: requestId,',
      "createdBy: `${requestId}.${Buffer.from(this.plaintext).toString('hex')}`,",
    ]),
  ),
  bug(
    'no reader looks for a kept company key',
    55,
    inFile('shared/operations/data-keys/unwrap.ts', [
      'const key = await keptKeys.get({ companyId, keyringId, version });',
      'const key = await keptKeys.get({ companyId, keyringId, version: 0 });',
    ]),
  ),
  bug(
    'a host whose clock is weeks ahead purges what can be restored',
    1,
    inFile('shared/operations/data-keys/purge.ts', ['    deps.clockGuard.assertAgrees(now);\n', '']),
  ),
];
