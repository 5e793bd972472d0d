// A Functions app of pages alone, bundled and run as the real app is: the product's edge, with routes that answer every page.
import { app } from '@azure/functions';
import { registerRoutes } from '../../functions/http/kernel/register.ts';
import { systemClock, systemEntropy, systemTimers } from '../../shared/adapters/system.ts';
import { EventLimits } from '../../shared/store/event-limits.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { pageRoutes } from '../functions/http/pages/page-routes.ts';

registerRoutes(app, pageRoutes, {
  verifier: { verify: () => Promise.reject(new Error('pages ask for no token')) },
  companyClaim: 'company',
  confinedClaim: 'companies',
  mustBeConfined: new Set(),
  publicUrl: process.env['KEYSWITCH_PUBLIC_URL'] ?? '',
  vendorName: 'Tailspin Backup',
  tables: new FakeTables(),
  clock: systemClock,
  timers: systemTimers,
  entropy: systemEntropy,
  eventLimits: new EventLimits(systemClock),
  log: { write: () => undefined },
});
