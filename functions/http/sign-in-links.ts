// The addresses of sign-ins that leave the app: in links, and as the redirect URI that is registered at Microsoft and Google. Pure.
import type { z } from 'zod';
import type { MadeLink } from '../../shared/operations/sign-ins/make-link.ts';
import type { linkBody } from './schemas/connections.ts';

export const CALLBACK = '/consent/callback';

export const callbackUrl = (baseUrl: string): string => baseUrl + CALLBACK;

export const linkToBody = (baseUrl: string, { ticket, expiresAt }: MadeLink): z.output<typeof linkBody> => ({
  link: `${baseUrl}/consent/links/${ticket.text}`,
  expiresAt,
});
