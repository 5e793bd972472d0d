// From a view to its page: the one exhaustive switch. Pure.
import { failurePage, failureTitle } from './failure-page.ts';
import { document, type PageContext } from '../shell/layout.ts';
import { consentGrantedPage, declinedPage, leavingPage, tenantVerifiedPage } from './outcome-pages.ts';
import { confirmationPage, confirmationTitle, startPage, startTitle } from './question-pages.ts';
import type { PageView } from './views.ts';

export function renderPage(view: PageView, context: PageContext): string {
  const page = (title: string, main: Parameters<typeof document>[1]): string =>
    document(`${title} – ${context.vendorName}`, main, context);
  switch (view.page) {
    case 'start':
      return page(startTitle(view.subject), startPage(view, context));
    case 'confirmation':
      return page(confirmationTitle(view.subject), confirmationPage(view, context));
    case 'consent-granted':
      return page('Consent is granted', consentGrantedPage(view, context));
    case 'tenant-verified':
      return page('The tenant is verified', tenantVerifiedPage(view, context));
    case 'declined':
      return page('You declined', declinedPage(view, context));
    case 'failure':
      return page(failureTitle(view), failurePage(view, context));
    case 'leaving':
      return page(`On to ${view.service}`, leavingPage(view));
  }
}
