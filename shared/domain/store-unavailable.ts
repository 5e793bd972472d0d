// Our own tables or queue cannot be reached. An exception and no answer: nothing can be decided without them, and the edge
// turns it into "try again". Here, because adapters throw it and operations let it pass. Pure.
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
