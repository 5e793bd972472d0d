// An answer as tests look at it.
import type { Cookie } from '@azure/functions';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into bodies of many shapes; the description has checked each.
  readonly body: Json;
  /** Of a page, in place of the body. */
  readonly html?: string;
  readonly cookies: readonly Cookie[];
}
export interface Json {
  readonly [name: string]: Json;
  readonly [index: number]: Json;
}
