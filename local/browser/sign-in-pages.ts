// A person's way through the sign-in pages of Entra and Google and through pages of the product: fills in who they are,
// presses the button that leads on, or the one that says no. Reads pages only, as a person does.
import type { Browser } from './browser.ts';
import type { Page } from './page.ts';

/** Whoever signs in somewhere. */
export interface Person {
  readonly provider: 'microsoft' | 'google';
  readonly userName: string;
}

interface Manner {
  /** Says no where the provider asks whether the access is allowed. */
  readonly declines?: boolean;
  /** Stops, with the button not pressed, on the first page of which this is true. */
  readonly until?: (page: Page) => boolean;
  /** Hears of every page, and of the button that will be pressed on it; none on the last. */
  readonly onPage?: (page: Page, button: string | undefined) => void;
}

const MAX_PAGES = 15;
const PROVIDER_HOSTS: readonly string[] = ['login.microsoftonline.com', 'accounts.google.com'];
const NAME_FIELDS = ['loginfmt', 'identifier'];
const NO = 'Cancel';

/** Opens the link and goes on to the page on which there is nothing more to press; answers that page. */
export async function signInAt(browser: Browser, link: string, person: Person, manner: Manner = {}): Promise<Page> {
  let page = await browser.open(link);
  for (let seen = 0; seen < MAX_PAGES; seen += 1) {
    const button = manner.until?.(page) === true ? undefined : nextButton(page, manner);
    manner.onPage?.(page, button);
    if (button === undefined) return page;
    const field = isProvider(page) ? NAME_FIELDS.find((name) => page.hasField(name)) : undefined;
    if (field !== undefined) page.fill(field, person.userName);
    page = await browser.press(button);
  }
  throw new Error(`there is no end to the pages after ${link}`);
}

/** The first button leads on, on every page of the three; only the provider's question may be answered with no. */
function nextButton(page: Page, { declines = false }: Manner): string | undefined {
  // It asks again: nobody there has this name.
  if (isProvider(page) && page.hasAlert) return undefined;
  const [first] = page.buttons;
  return declines && isProvider(page) && isQuestion(page) ? NO : first;
}

const isProvider = (page: Page): boolean => PROVIDER_HOSTS.includes(page.host);
const isQuestion = (page: Page): boolean =>
  page.buttons.includes(NO) && !NAME_FIELDS.some((name) => page.hasField(name));
