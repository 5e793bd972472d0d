// Tells the person who opens a link who made it, in the words of the record. Pure.
import { code, name, type PageContext } from '../shell/layout.ts';
import { html, type Html } from '../shell/html.ts';

/** The account is proved by its token; the name of the person behind it is what the vendor's product says. */
export function whoAsked(requestedBy: string, { vendorName }: PageContext): Html {
  const [, account = '', quoted = ''] = /^(.*?) asserting (".*")$/s.exec(requestedBy) ?? [];
  const person = unquoted(quoted);
  if (person === undefined) return html`the account ${code(requestedBy)}`;
  return html`${name(person)}, as the product of ${name(vendorName)} says; its account is ${code(account)}`;
}

function unquoted(json: string): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    return undefined;
  }
}
