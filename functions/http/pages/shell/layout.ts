// The frame of every page, and the small parts that pages are made of. Pure.
import { html, type Html } from './html.ts';
import { STYLE_ELEMENT } from './stylesheet.ts';

export interface PageContext {
  /** The vendor as it names itself. */
  readonly vendorName: string;
}

/** What a page is called, and what stands in it. */
export interface Page {
  readonly title: string;
  readonly main: Html;
}

/** A page is made when it is known who the vendor is. */
export type PageOf = (context: PageContext) => Page;

export const document = ({ title, main }: Page, { vendorName }: PageContext): string =>
  String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title} – ${vendorName}</title>
          ${STYLE_ELEMENT}
        </head>
        <body>
          <header><p>${name(vendorName)} · customer-managed keys</p></header>
          <main>${main}</main>
        </body>
      </html> `,
  );

/** A name that others chose: isolated, so that its direction of writing does not reach the text beside it. */
export const name = (text: string): Html => html`<bdi>${text}</bdi>`;

/** An identifier, to be compared letter by letter. */
export const code = (text: string): Html => html`<code dir="ltr">${text}</code>`;

/** To the minute, in UTC: its readers live in all time zones. */
export const time = (iso: string): Html =>
  html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;

/** How it ended, as a mark beside the words, which say it too: `wait` is what may pass. */
export type Outcome = 'good' | 'wait' | 'bad';

/** Without an outcome nothing is wrong, and nothing was done. */
export const heading = (text: string, outcome?: Outcome): Html =>
  outcome === undefined ? html`<h1>${text}</h1>` : html`<h1 class="${outcome}">${text}</h1>`;

export type Fact = readonly [label: string, value: Html];

export const facts = (all: readonly (Fact | undefined)[]): Html =>
  html`<dl>${all.flatMap((fact) => (fact ? [row(fact)] : []))}</dl>`;

const row = ([label, value]: Fact): Html =>
  html`<div>
    <dt>${label}</dt>
    <dd>${value}</dd>
  </div>`;

export const section = (heading: string, content: Html): Html =>
  html`<section>
    <h2>${heading}</h2>
    ${content}
  </section>`;

export interface Button {
  readonly label: string;
  readonly name?: string;
  readonly value?: string;
  readonly isSecond?: true;
}

/** A form of hidden fields and buttons: people press, and type nothing. `action` is a path of ours. */
export const form = (action: string, fields: Readonly<Record<string, string>>, buttons: readonly Button[]): Html =>
  html`<form method="post" action="${action}">
    ${Object.entries(fields).map(([key, value]) => html`<input type="hidden" name="${key}" value="${value}" />`)}
    ${buttons.map(button)}
  </form>`;

const button = ({ label, name: key, value, isSecond }: Button): Html =>
  html`<button
    type="submit"
    class="${isSecond ? 'second' : 'first'}"
    ${key === undefined ? undefined : html`name="${key}" value="${value}"`}
  >
    ${label}
  </button>`;

/** A command to copy, as it is. */
export const command = (text: string): Html => html`<pre tabindex="0"><code dir="ltr">${text}</code></pre>`;
