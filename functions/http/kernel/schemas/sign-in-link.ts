// A link to a sign-in as callers get it. Pure.
import * as z from 'zod';
import { time } from './ids.ts';

export const linkBody = z
  .strictObject({
    link: z.url().meta({ description: 'A page of ours. Whoever opens it is asked, and must sign in to say yes.' }),
    expiresAt: time,
  })
  .meta({ id: 'SignInLink', description: 'To be sent to an administrator of the tenant.' });
