// Reading the project's own Markdown. No parser of the whole language: headings, tables, links and code spans, as this
// project writes them.
import { readdirSync, readFileSync } from 'node:fs';

export const ROOT = new URL('../../', import.meta.url);

const FOLDERS = ['', 'docs/', 'docs/decisions/', 'local/'];

/** The paths of every page of the project, from its root. */
export const PAGES: readonly string[] = FOLDERS.flatMap((folder) =>
  readdirSync(new URL(folder === '' ? '.' : folder, ROOT))
    .filter((name) => name.endsWith('.md'))
    .map((name) => folder + name),
);

export const readPage = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** Without fenced code. */
const prose = (page: string): string => page.replaceAll(/^```.*?^```$/gms, '');

/** What stands in fenced code and in code spans: what a reader would type or look for. */
export function code(page: string): readonly string[] {
  const fenced = [...page.matchAll(/^```.*?\n(.*?)^```$/gms)].map(([, text]) => text ?? '');
  const spans = [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text ?? '');
  return [...fenced, ...spans];
}

/** Targets of links and images that are no addresses elsewhere. */
export function relativeLinks(page: string): readonly { readonly path: string; readonly anchor: string }[] {
  const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ path: target.replace(/#.*/, ''), anchor: /#(.*)/.exec(target)?.[1] ?? '' }));
}

/** The anchors that GitHub gives a page's headings. */
export const anchors = (page: string): ReadonlySet<string> =>
  new Set(
    [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

export interface Section {
  readonly title: string;
  readonly body: string;
}

/** The sections under headings of one level; each ends where a heading of this or a higher level begins. */
export function sections(page: string, level: number): readonly Section[] {
  const heading = new RegExp(`^#{1,${level}} `, 'm');
  return page
    .split(new RegExp(`^${'#'.repeat(level)} `, 'm'))
    .slice(1)
    .map((text) => {
      const [title = '', ...rest] = text.split('\n');
      return { title, body: rest.join('\n').split(heading)[0] ?? '' };
    });
}

/** The rows of the first table, without its head. */
export function tableRows(body: string): readonly (readonly string[])[] {
  const lines = body.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  if (start < 0) return [];
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end < 0 ? undefined : end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
