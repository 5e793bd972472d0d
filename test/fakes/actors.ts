// Who acts in tests that are not about who acts.
import type { Actor } from '../../shared/domain/audit.ts';

export const actorNamed = (by: string): Actor => ({ by, from: '203.0.113.7', requestId: `call of ${by}` });
export const ADMIN = actorNamed('admin');
