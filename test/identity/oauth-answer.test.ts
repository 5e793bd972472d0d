import { describe, expect, it } from 'vitest';
import { callbackErrorOf, stateOf } from '../../shared/identity/oauth-answer.ts';

describe('a redirect back', () => {
  it('has an error whatever else it says', () => {
    const query = 'admin_consent=True&error=consent_required&error_description=AADSTS65004%3a+no&state=s';
    expect(callbackErrorOf(query)).toEqual({ error: 'consent_required', description: 'AADSTS65004: no' });
  });

  it('has none if it holds a code', () => {
    expect(callbackErrorOf('code=c&state=s')).toBeUndefined();
  });

  it('has a state only if it has exactly one', () => {
    expect(stateOf('code=c&state=s')).toBe('s');
    for (const query of ['', 'code=c', 'state=', 'state=a&state=b', 'state=a&state=a']) {
      expect(stateOf(query)).toBeUndefined();
    }
  });
});
