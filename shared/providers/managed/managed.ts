// The vendor's own key: where a keyring begins, and what it comes back to. It lies where some other provider's keys lie, at the place that
// the settings name; no connection leads to it.
import type { KeyProvider } from '../provider.ts';
import { err } from '../../domain/result.ts';

export const MANAGED = 'managed';

export const managed = (holder: KeyProvider): KeyProvider => ({
  ...holder,
  name: MANAGED,
  isVendors: true,
  parse: () =>
    err({ type: 'invalid', target: 'body.provider', message: 'No connection leads to the vendor’s own key.' }),
});
