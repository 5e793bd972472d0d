// The page of everything that did not work: what happened, why, what to do, and by which id the vendor finds it. Pure.
import { html, type Html } from './html.ts';
import { code, command, facts, form, heading, section, type Outcome, type PageContext, type PageOf } from './layout.ts';
import type { AgainForm } from './page-answer.ts';

export interface Failed {
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  /** What it was about, if that is known. */
  readonly about?: (context: PageContext) => Html;
  readonly cause?: string;
  readonly remedy?: { readonly text: string; readonly azureCli?: string; readonly portal?: string };
  /** Faults of the request itself, one by one. */
  readonly faults?: readonly string[];
  /** It may pass by itself. With `again`, a button sends the same form once more. */
  readonly mayPass: boolean;
  readonly again?: AgainForm;
}

/** The reader did nothing wrong by opening a link that is over: it has a heading of its own. */
const HEADINGS: Readonly<Record<string, string>> = {
  'link-done': 'This link has been used',
  'link-expired': 'This link has expired',
  'link-unknown': 'This link is not known',
  'sign-in-expired': 'This sign-in has expired',
  'sign-in-used': 'This sign-in has been used',
  'internal-error': 'Something went wrong here',
};
const OVER: ReadonlySet<string> = new Set(['link-done', 'link-expired', 'sign-in-expired', 'sign-in-used']);

const titleOf = ({ code: failureCode, mayPass }: Failed): string =>
  HEADINGS[failureCode] ?? (mayPass ? 'This did not work yet' : 'This did not work');

/** What is over is no failure. */
const outcomeOf = ({ code: failureCode, mayPass }: Failed): Outcome | undefined => {
  if (mayPass) return 'wait';
  return OVER.has(failureCode) ? undefined : 'bad';
};

export const failurePage =
  (failed: Failed): PageOf =>
  (context) => ({ title: titleOf(failed), main: mainOf(failed, context) });

const mainOf = (view: Failed, context: PageContext): Html => html`
  ${heading(titleOf(view), outcomeOf(view))}
  <p><strong>${view.message}</strong></p>
  ${view.cause === undefined ? undefined : section('Why', html`<p>${view.cause}</p>`)} ${whatToDo(view)}
  ${
    view.faults === undefined
      ? undefined
      : section(
          'What is wrong',
          html`<ul>
            ${view.faults.map((fault) => html`<li>${fault}</li>`)}
          </ul>`,
        )
  }
  ${view.again ? form(view.again.action, view.again.fields, [{ label: 'Try again' }]) : undefined}
  ${view.about ? section('What this is about', view.about(context)) : undefined}
  ${section(
    'If you ask for help',
    html`<p>Give these two to whoever sent you the link:</p>
      ${facts([
        ['Code', code(view.code)],
        ['Request id', code(view.requestId)],
      ])}`,
  )}
`;

function whatToDo({ remedy, mayPass, again }: Failed): Html | undefined {
  const passing = mayPass
    ? html`<p>
        ${again ? 'This may pass by itself: try again in a moment.' : 'This may pass by itself: open the link again in a moment.'}
      </p>`
    : undefined;
  if (!remedy) return passing && section('What to do', passing);
  return section(
    'What to do',
    html`<p>${remedy.text}</p>
      ${passing}
      ${
        remedy.azureCli === undefined
          ? undefined
          : html`<h3>With the Azure CLI</h3>
              ${command(remedy.azureCli)}`
      }
      ${
        remedy.portal === undefined
          ? undefined
          : html`<h3>In the portal</h3>
              <p>${remedy.portal}</p>`
      }`,
  );
}
