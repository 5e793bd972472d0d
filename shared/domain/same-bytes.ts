import { timingSafeEqual } from 'node:crypto';

/** Compares in a time that does not depend on where they differ; their lengths are no secret. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
