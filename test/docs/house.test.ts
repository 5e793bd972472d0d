// How far the rooms and arrows of the house are from the plan: each measure may only fall, and a change that lowers one lowers its limit here too.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './markdown.ts';

const FOLDERS = ['functions', 'shared'];
const MAX_LINES = 250;

const sources: ReadonlyMap<string, string> = new Map(
  FOLDERS.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path))
      .map((path) => [path, readFileSync(new URL(path, ROOT), 'utf8')] as const),
  ),
);

const isIn = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path.startsWith(`${folder}/`));

const filesWith = (pattern: RegExp, where: { readonly in?: readonly string[]; readonly notIn?: readonly string[] }) =>
  [...sources]
    .filter(([path]) => isIn(path, where.in ?? FOLDERS) && !isIn(path, where.notIn ?? []))
    .filter(([, text]) => pattern.test(text));

/** The files that a file imports, types too. */
function importsOf(path: string, text: string): readonly string[] {
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']*)'/gm)].map(([, to = '']) =>
    join(dirname(path), to),
  );
}

function foldersThatImportEachOther(): readonly string[] {
  const arrows = new Set(
    [...sources].flatMap(([path, text]) =>
      importsOf(path, text).map((imported) => `${dirname(path)} -> ${dirname(imported)}`),
    ),
  );
  return [...arrows].filter((arrow) => {
    const [from = '', to = ''] = arrow.split(' -> ');
    return from < to && arrows.has(`${to} -> ${from}`);
  });
}

const STORE = ['shared/store', 'shared/adapters'];
const PROVIDERS = ['shared/providers'];

it.each([
  ['pairs of folders that import each other', 0, () => foldersThatImportEachOther().length],
  [
    'transactions written outside of the store',
    0,
    () =>
      filesWith(/tables\.write\(/, { notIn: STORE })
        .map(([, text]) => text.split('tables.write(').length - 1)
        .reduce((sum, count) => sum + count, 0),
  ],
  [
    'files that spell the keys of rows outside of the store',
    0,
    () => filesWith(/from '[^']*\/row-keys\.ts'/, { notIn: STORE }).length,
  ],
  [
    'files that name a provider outside of its folder',
    0,
    () => filesWith(/'(?:managed|azure-key-vault)'/, { notIn: PROVIDERS }).length,
  ],
  // But for one state of a vault, whose name callers know.
  [
    'files of the domain that name a cloud',
    0,
    () =>
      filesWith(/\b(?:Azure|Microsoft|Entra|Google|Workspace|AADSTS|AWS)\b|(?<!waiting-for-)azure|entra\b|google/, {
        in: ['shared/domain'],
      }).length,
  ],
  [
    'operations that know one directory of identity',
    0,
    () => filesWith(/from '[^']*\/identity\/(?:entra|google)\//, { in: ['shared/operations'] }).length,
  ],
  [
    'files that name a kind of tenant outside of its folder',
    0,
    () => filesWith(/'(?:microsoft-365|google-workspace)'/, { in: ['shared'], notIn: ['shared/identity'] }).length,
  ],
  ['files that keep values for a time by hand', 0, () => filesWith(/expiresAtMs|[uU]ntilMs/, {}).length],
  [
    `files of more than ${MAX_LINES} lines`,
    0,
    () => [...sources].filter(([, text]) => text.split('\n').length - 1 > MAX_LINES).length,
  ],
] as const)('%s are at most %i', (_, most, count) => {
  expect(count()).toBeLessThanOrEqual(most);
});
