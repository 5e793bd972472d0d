// Bugs of the pure heart.
import { bug, COUNTS_NOT_COMPARED, inFile, type PlantedBug } from './bug.ts';

export const IN_DOMAIN: readonly PlantedBug[] = [
  bug(
    'a turn to an older generation is allowed',
    4490,
    inFile('shared/domain/shard.ts', ['if (turn.generation <= shard.generation) return undefined;', '']),
    inFile(
      'shared/domain/switch-machine.ts',
      ["if (shard.generation > generation) return isReadAgain ? 'counts-differ' : 'look';", ''],
      ["if (shard.generation < generation) return 'turn';", "if (shard.generation !== generation) return 'turn';"],
    ),
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
    'quarantined rows do not hold the end',
    1,
    inFile('shared/domain/switch-machine.ts', [
      "if (shards.some((shard) => !shard || !mayEndAt(shard, writeVersion))) return wait('decision');",
      '',
    ]),
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
    'what a vault unwraps is not compared with what its wrap commits to',
    1,
    inFile('shared/domain/company-key.ts', ['    if (!sameBytes(actual, expected)) return undefined;\n', '']),
  ),
];
