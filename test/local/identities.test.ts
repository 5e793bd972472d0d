import { expect, test } from 'vitest';
import { CUSTOMER_NAMES } from '../../local/environment/customers.ts';
import { VENDOR_NAME } from '../../local/identities.ts';

test.each(CUSTOMER_NAMES)('the vendor is not taken for its customer %s', (name) => {
  expect(VENDOR_NAME.toLowerCase()).not.toContain(name);
});
