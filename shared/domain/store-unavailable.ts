// Our own tables or queue cannot be reached. An exception, since nothing can be decided without them: adapters throw it, operations let it pass, and
// the edge turns it into "try again". Pure.
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
