// Bugs to plant, each a search and replace on a copy of the product: at least one for each mechanism of the protocol. The simulation must
// find every one of them; what it does not find would not be checked by it.
import { IN_DATA_KEYS } from './planted/data-keys.ts';
import { IN_DOMAIN } from './planted/domain.ts';
import { IN_KEYS } from './planted/keys.ts';
import { IN_STORE } from './planted/store.ts';
import { IN_SWITCHES } from './planted/switches.ts';
import type { PlantedBug } from './planted/bug.ts';

/** Within so many seeds, from its first on, every bug must be found. A change of the product moves what a seed does: the search goes on, and takes longer. */
export const SEEDS_TO_FIND = 1_600;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...IN_DATA_KEYS,
  ...IN_DOMAIN,
  ...IN_KEYS,
  ...IN_STORE,
  ...IN_SWITCHES,
];
