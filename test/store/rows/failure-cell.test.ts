import { describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import { readFailure } from '../../../shared/store/rows/failure-cell.ts';

const plain = failure('access-denied-rbac', { vaultHost: 'contoso.vault.azure.net', keyName: 'k' });
const full = {
  ...plain,
  remedy: { text: 'a', azureCli: 'b', portal: 'c' },
  facts: { vaultHost: 'contoso.vault.azure.net', bare: true },
  service: { status: 403, code: 'Forbidden', message: 'm', correlationId: 'i' },
  becomesDeniedAt: '2026-01-01T00:00:00.123Z',
};

describe('a failure in a row', () => {
  it.each([
    ['with all that it may say', full],
    ['with no more than it must say', { ...full, remedy: { text: 'a' }, facts: {}, service: undefined }],
    ['whose service said nothing', { ...full, service: {} }],
    ['of a code that another version has', { ...full, code: 'of-a-provider-to-come' }],
    ['with the command of another tool', { ...full, remedy: { text: 'a', commandOfAnotherTool: 'b' } }],
    ['of tampering', { ...full, isTampering: true }],
    ['that revokes at once', { ...full, revokes: 'at-once' }],
    ['that revokes once seen gone', { ...full, revokes: 'once-seen-gone' }],
    ['that is never to be a denial', { ...full, becomesDeniedAt: undefined }],
    ['that is to be a denial at a full second', { ...full, becomesDeniedAt: '2026-01-01T00:00:00Z' }],
  ])('%s is one', (_, value) => {
    expect(readFailure(value)).toEqual(value);
  });

  it.each(['input', 'transient', 'propagating', 'denied', 'warning', 'integrity'])('may be %s', (kind) => {
    expect(readFailure({ ...full, kind })).toEqual({ ...full, kind });
  });

  it.each(['company-admin', 'azure-admin', 'vendor', 'admin-of-a-provider-to-come'])('may be for the %s', (owner) => {
    expect(readFailure({ ...full, owner })).toEqual({ ...full, owner });
  });

  it.each([
    ['that is a text', 'access-denied-rbac'],
    ['that is nothing', null],
    ['of a code that none can be', { ...full, code: 'Odd code' }],
    ['of a code without end', { ...full, code: 'x'.repeat(65) }],
    ['of no code', { ...full, code: 1 }],
    ['of another kind', { ...full, kind: 'odd' }],
    ['for nobody', { ...full, owner: '' }],
    ['without a message', { ...full, message: undefined }],
    ['without a cause', { ...full, cause: 1 }],
    ['without a remedy', { ...full, remedy: 'a' }],
    ['whose remedy says nothing', { ...full, remedy: { azureCli: 'b' } }],
    ['whose command line is none', { ...full, remedy: { text: 'a', azureCli: 1 } }],
    ['whose way through the portal is none', { ...full, remedy: { text: 'a', portal: [] } }],
    ['that is of tampering, or not', { ...full, isTampering: false }],
    ['that revokes in a way that there is not', { ...full, revokes: 'odd' }],
    ['without facts', { ...full, facts: null }],
    ['with a fact that is a number', { ...full, facts: { vaultHost: 1 } }],
    ['with one fact of two that is none', { ...full, facts: { bare: true, vaultHost: {} } }],
    ['of a service that is a text', { ...full, service: 'vault' }],
    ['of a service with a status that is a text', { ...full, service: { status: '403' } }],
    ['of a service with a code that is a number', { ...full, service: { code: 403 } }],
    ['of a service with a message that is none', { ...full, service: { message: {} } }],
    ['of a service with an id that is none', { ...full, service: { correlationId: 1 } }],
    ['of a service that says too much', { ...full, service: { status: 403, body: 'b' } }],
    ['to be a denial at no time', { ...full, becomesDeniedAt: 'soon' }],
    ['to be a denial at a time that there is not', { ...full, becomesDeniedAt: '2026-13-01T00:00:00Z' }],
    ['to be a denial at a number', { ...full, becomesDeniedAt: 1 }],
    ['to be a denial at a time of another zone', { ...full, becomesDeniedAt: '2026-01-01T00:00:00+01:00' }],
    ['to be a denial at a time behind a text', { ...full, becomesDeniedAt: 'x2026-01-01T00:00:00Z' }],
    ['to be a denial at a time before a text', { ...full, becomesDeniedAt: '2026-01-01T00:00:00Zx' }],
    ['to be a denial at a time too exact', { ...full, becomesDeniedAt: '2026-01-01T00:00:00.1234567890Z' }],
  ])('%s is none', (_, value) => {
    expect(readFailure(value)).toBeUndefined();
  });
});
