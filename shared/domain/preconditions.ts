// `If-Match` and `If-None-Match`, as operations take them. Pure.
export interface Preconditions {
  /** The resource must exist with this ETag; `*` accepts any. */
  readonly ifMatch?: string;
  /** The resource must not exist. */
  readonly ifNoneMatch?: '*';
}

export const matches = (ifMatch: string | undefined, etag: string): boolean =>
  ifMatch === undefined || ifMatch === '*' || ifMatch === etag;

/** `etag` is undefined if the resource does not exist. */
export function holds({ ifMatch, ifNoneMatch }: Preconditions, etag: string | undefined): boolean {
  if (etag === undefined) return ifMatch === undefined;
  return ifNoneMatch === undefined && matches(ifMatch, etag);
}
