// One of the people of the run goes through the pages of a link, in a browser of their own.
import { Browser } from '../browser/browser.ts';
import type { Page } from '../browser/page.ts';
import { signInAt } from '../browser/sign-in-pages.ts';
import type { EnvironmentPerson } from './persons.ts';

type Manner = Parameters<typeof signInAt>[3] & {
  /** For whoever looks at what it was asked and sent; a new one unless told. */
  readonly browser?: Browser;
};

/** Answers the last page. The process must find Azure's names on loopback (`installRedirect`). */
export async function signInAs(
  { persons }: { readonly persons: Readonly<Record<string, EnvironmentPerson>> },
  link: string,
  name: string,
  { browser = new Browser(), ...manner }: Manner = {},
): Promise<Page> {
  const person = persons[name];
  if (!person) throw new Error(`nobody is called '${name}'`);
  return await signInAt(browser, link, person, manner);
}
