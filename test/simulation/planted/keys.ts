// Bugs of keys of companies, their wraps and caches.
import { bug, inFile, type PlantedBug } from './bug.ts';

export const IN_KEYS: readonly PlantedBug[] = [
  bug(
    'callers use the guard wrap',
    1,
    inFile('shared/operations/keys/company-key-cache.ts', [
      'const wrap = wrapInForce(row.value.value);',
      'const wrap = row.value.value.wraps.at(-1);',
    ]),
  ),
  bug(
    'a prepare fills the cache of its host with a key that may lose the race',
    1,
    inFile('shared/operations/keys/worker-keys.ts', [
      '  get(\n    companyId: string,',
      "  plant(name: string, key: KeyObject): void {\n    for (const use of ['rewrap', 'verify']) void this.#keys.load(`${name}|${use}`, () => Promise.resolve(ok(key)));\n  }\n\n  get(\n    companyId: string,",
    ]),
    inFile(
      'shared/operations/switches/prepare.ts',
      [
        '    return await store(deps, place, control, wraps.value);',
        "    const { generation } = control.keyring.value;\n    (deps as any).workerKeys.plant([place.companyId, place.keyringId, place.switchId, generation + 1, control.sw.value.toVersion].join('|'), createSecretKey(companyKey));\n    return await store(deps, place, control, wraps.value);",
      ],
      [
        "import type { Auditing } from '../../store/append.ts';",
        "import { createSecretKey } from 'node:crypto';\nimport type { Auditing } from '../../store/append.ts';",
      ],
    ),
  ),
  bug(
    'a denial by the vault in force stops no switch',
    1336,
    inFile('shared/operations/keys/worker-keys.ts', ['if (!mayUseOther(sw, wrap, key.error)) return err(found);', '']),
    inFile('shared/operations/switches/commit.ts', ['  if (denied) return denied;\n', '']),
  ),
  bug(
    'a company key is kept for ever',
    1,
    inFile('shared/operations/keys/company-key-cache.ts', ['{ ttlMs, maxEntries }', '{ ttlMs: Infinity, maxEntries }']),
  ),
  bug(
    'each page opens its company keys anew',
    20,
    inFile('shared/operations/keys/worker-keys.ts', [
      'return this.#keys.get(nameOf(',
      'return this.#keys.load(nameOf(',
    ]),
  ),
  bug(
    'a new wrap is stored that its vault does not open',
    44,
    inFile('shared/operations/keys/make-wrap.ts', ['return back.ok ? wrap : back;', 'return wrap;']),
  ),
  bug(
    'a denial is bridged as an outage is',
    1,
    inFile('shared/operations/keys/company-key-cache.ts', ['if (!isOutage(error.failure)) return err(error);', '']),
    inFile('shared/operations/keys/outage-bridge.ts', [
      "opened.error.type === 'gone' || !isOutage(opened.error.failure)",
      "opened.error.type === 'gone'",
    ]),
  ),
  bug(
    'an outage is bridged for as long as it lasts',
    160,
    inFile('shared/operations/keys/outage-bridge.ts', [
      'ttlMs: ttlMs + graceMs, maxEntries',
      'ttlMs: ttlMs + 100 * graceMs, maxEntries',
    ]),
  ),
];
