// From a view to its page: the one exhaustive switch. Pure.
import type { Page, PageContext, PageOf } from '../shell/layout.ts';
import { consentGrantedPage, declinedPage, tenantVerifiedPage } from './outcome-pages.ts';
import { confirmationPage, confirmationTitle, startPage, startTitle } from './question-pages.ts';
import type { PageView } from './views.ts';

export const pageFor =
  (view: PageView): PageOf =>
  (context) =>
    rendered(view, context);

function rendered(view: PageView, context: PageContext): Page {
  switch (view.page) {
    case 'start':
      return { title: startTitle(view.subject), main: startPage(view, context) };
    case 'confirmation':
      return { title: confirmationTitle(view.subject), main: confirmationPage(view, context) };
    case 'consent-granted':
      return { title: 'Consent is granted', main: consentGrantedPage(view, context) };
    case 'tenant-verified':
      return { title: 'The tenant is verified', main: tenantVerifiedPage(view, context) };
    case 'declined':
      return { title: 'You declined', main: declinedPage(view, context) };
  }
}
