// `If-Match` and `If-None-Match`, as operations take them. Pure.
export interface Preconditions {
  /** The resource must be there with this ETag; `*` holds for any. */
  readonly ifMatch?: string;
  /** The resource must not be there. */
  readonly ifNoneMatch?: '*';
}

export const matches = (ifMatch: string | undefined, etag: string): boolean =>
  ifMatch === undefined || ifMatch === '*' || ifMatch === etag;

/** `etag` undefined: the resource is not there. */
export function holds({ ifMatch, ifNoneMatch }: Preconditions, etag: string | undefined): boolean {
  if (etag === undefined) return ifMatch === undefined;
  return ifNoneMatch === undefined && matches(ifMatch, etag);
}
