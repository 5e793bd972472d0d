// A link to a sign-in as callers get it. Pure.
import * as z from 'zod';
import { EXAMPLE_TIME, time } from './ids.ts';

export const linkBody = z
  .strictObject({
    link: z.url().meta({ description: 'A page of ours. Whoever opens it is asked, and must sign in to say yes.' }),
    expiresAt: time,
  })
  .meta({
    id: 'SignInLink',
    description: 'To be sent to an administrator of the tenant.',
    example: {
      link: 'https://keyswitch.example/consent/links/contoso~kX2v9QbL7sT4wN1cR8mZ5yF3hJ6gD0aEuPiOqWxYtVs',
      expiresAt: EXAMPLE_TIME,
    },
  });
