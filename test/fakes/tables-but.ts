import type { Tables } from '../../shared/operations/ports.ts';

/** The store with another answer to some of its calls. */
export const tablesBut = (store: Tables, other: Partial<Tables>): Tables => ({
  read: store.read.bind(store),
  list: store.list.bind(store),
  write: store.write.bind(store),
  ...other,
});
