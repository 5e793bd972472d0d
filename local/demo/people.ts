// People who go through the pages of a link, as a browser shows them; and how that is told.
import { Browser } from '../browser/browser.ts';
import type { Page } from '../browser/page.ts';
import { signInAs } from '../environment/sign-in-as.ts';
import type { Failure } from './answers.ts';
import type { Demo } from './demo.ts';
import { tellFailure } from './tell-failure.ts';

interface Invitation {
  readonly link: string;
  /** Of those in local/environment/persons.ts. */
  readonly name: string;
}

interface Visit {
  /** Whose page, what it is called, and the button pressed on it. */
  readonly pages: readonly (readonly [site: string, title: string, button: string])[];
  /** What the last page says, if it is no success. */
  readonly refusal: Failure | undefined;
}

const FIRST_REFUSAL = 400;
const MAX_BUTTON_CHARS = 30;
const SITES: Readonly<Record<string, string>> = {
  'login.microsoftonline.com': 'Microsoft',
  'accounts.google.com': 'Google',
};

/** Every button that leads on is pressed. Throws if the person is refused; answers how many pages it took. */
export async function goThrough(demo: Demo, invitation: Invitation): Promise<number> {
  const { pages, refusal } = await visit(demo, invitation);
  if (refusal) throw new Error(`${invitation.name} was refused: ${refusal.code}`);
  return pages.length;
}

/** The same, page by page. `as`: who the person is, behind the name. */
export async function tellVisit(demo: Demo, invitation: Invitation & { readonly as: string }): Promise<void> {
  introduce(demo, invitation);
  const { pages, refusal } = await visit(demo, invitation);
  tellPages(demo, pages);
  if (refusal) throw new Error(`${invitation.name} was refused: ${refusal.code}`);
}

/** The visit of somebody who must be refused with `code`. */
export async function tellRefusedVisit(
  demo: Demo,
  invitation: Invitation & { readonly as: string; readonly code: string },
): Promise<void> {
  const { name, code } = invitation;
  introduce(demo, invitation);
  const { pages, refusal } = await visit(demo, invitation);
  tellPages(demo, pages);
  if (refusal?.code !== code)
    demo.check(false, '', `${name} should meet ${code}, and met ${refusal?.code ?? 'no refusal'}`);
  if (refusal) tellFailure(demo, refusal);
}

function introduce({ environment, screen }: Demo, { name, as }: Invitation & { readonly as: string }): void {
  screen.say(`${environment.persons[name]?.displayName ?? name}, ${as}, opens the link:`);
}

function tellPages({ screen }: Demo, pages: Visit['pages']): void {
  const rows = pages.map(([site, title, button]) => [site, title, button === '' ? '' : `› ${shortened(button)}`]);
  screen.table(rows, [], 'quiet');
}

/** Whole words. */
const shortened = (text: string): string =>
  text.length <= MAX_BUTTON_CHARS ? text : `${text.slice(0, text.lastIndexOf(' ', MAX_BUTTON_CHARS))}…`;

async function visit({ environment, admissions }: Demo, { link, name }: Invitation): Promise<Visit> {
  const browser = new Browser();
  const pages: Visit['pages'][number][] = [];
  const onPage = (page: Page, button = ''): void => {
    admissions.keepPage(page);
    pages.push([SITES[page.host] ?? 'Keyswitch', page.heading, button]);
  };
  const last = await signInAs(environment, link, name, { browser, onPage });
  admissions.keepHistory(browser, new URL(link).origin);
  return { pages, refusal: refusalOn(last) };
}

function refusalOn({ status, heading, lines }: Page): Failure | undefined {
  if (status < FIRST_REFUSAL) return undefined;
  const after = (line: string): string | undefined =>
    lines.includes(line) ? lines[lines.indexOf(line) + 1] : undefined;
  const fix = after('What to do');
  const message = [after(heading) ?? heading, after('Why')].filter((text) => text !== undefined).join(' ');
  return {
    code: after('Code') ?? `status ${status}`,
    message,
    ...(fix === undefined ? {} : { remedy: { text: fix } }),
  };
}
