// An answer as tests look at it.
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into bodies of many shapes; the description has checked each.
  readonly body: Json;
}
export interface Json {
  readonly [name: string]: Json;
  readonly [index: number]: Json;
}
