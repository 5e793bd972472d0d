// A Functions app of pages alone, bundled and run as the real app is: the product's edge, with routes that answer every page.
import { randomUUID } from 'node:crypto';
import { app } from '@azure/functions';
import { registerRoutes } from '../../functions/http/register.ts';
import { pageRoutes } from '../functions/http/pages/page-routes.ts';

registerRoutes(app, pageRoutes, {
  verifier: { verify: () => Promise.reject(new Error('pages ask for no token')) },
  companyClaim: 'company',
  vendorName: 'Fabrikam Backup',
  entropy: { id: () => randomUUID() },
  log: { write: () => undefined },
});
