// The addresses of sign-ins that leave the app: in links, and as the redirect URI that is registered at Microsoft and Google. Pure.
import type { z } from 'zod';
import type { MadeLink } from '../../../shared/operations/sign-ins/make-link.ts';
import type { linkBody } from './schemas/sign-in-link.ts';

/** One for every sign-in, so that one redirect URI is registered at each service. */
export const CALLBACK = '/consent/callback';

/** Where a link's pages are, by what it asks for. They are the same pages: the ticket says which question is asked. */
export const LINKS = { consent: '/consent/links', verification: '/verify/links' } as const;

export const callbackUrl = (origin: string): string => origin + CALLBACK;

export const linkToBody = (
  { ticket, expiresAt }: MadeLink,
  { origin, asksFor }: { readonly origin: string; readonly asksFor: keyof typeof LINKS },
): z.output<typeof linkBody> => ({
  link: `${origin}${LINKS[asksFor]}/${ticket.text}`,
  expiresAt,
});
