// What a route of pages answers, and what it knows of the browser that asks. Types only.
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import type { Html } from './html.ts';
import type { PageContext, PageOf } from './layout.ts';

/** The one cookie of a sign-in: set to a new value, or taken away. */
export type CookieChange = { readonly value: string; readonly maxAgeSeconds: number } | 'remove';

export type PageAnswer =
  | { readonly page: PageOf; readonly cookie?: CookieChange }
  /** The browser goes on to the sign-in page of that service. How it is sent there is the edge's business (answer-page.ts). */
  | { readonly goTo: string; readonly service: string; readonly cookie?: CookieChange };

/** A refusal whose page may name what it is about, and offer to ask again. A bare Refusal gets a page without these. */
export interface PageRefusal {
  readonly type: 'on-page';
  readonly refused: Refusal;
  readonly about?: (context: PageContext) => Html;
  /** The form that was sent, if sending it again may succeed. */
  readonly again?: AgainForm;
  readonly cookie?: CookieChange;
}

export interface AgainForm {
  /** A path of ours. */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface BrowserContext {
  /** What the sign-in cookie carries; undefined if it is not there, is there twice, or is none of ours. */
  readonly cookie: string | undefined;
  /** The browser says that another site's page sent this. An operation that changes anything refuses it, and records it. */
  readonly isCrossSite: boolean;
  /** The query as it arrived, with its question mark: what a redirect back from a sign-in is checked with. */
  readonly search: string;
}
