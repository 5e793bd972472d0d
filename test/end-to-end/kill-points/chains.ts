// In which order hosts die: chains of deaths, each chain within one switch, so that going back and forward again come to be in the
// middle of the work. Between them they reach every place on every way.
import { PLACES_OF_A_PASS, type Place, type Way } from '../../fixtures/places-to-die.ts';

export interface Death {
  readonly way: Way;
  readonly place: Place;
}

export interface Chain {
  readonly title: string;
  readonly deaths: readonly Death[];
}

/**
 * Whoever dies at any other place of a pass leaves work that nobody else does before the lock of its message runs out: time enough to
 * order the switch to go the other way. At these the work may go on at once, to the end if there is another host.
 */
const LAST_OF_A_WAY: readonly Place[] = [
  'message:before-receipt',
  'next:enqueued',
  'message:before-completion',
  'end:after',
];
/** A death that only makes sure that there is something to go back from. */
const HALF_WAY: Place = 'page-write:after';
const WORDS: Readonly<Record<Way, string>> = { forward: 'there', back: 'back', again: 'there again' };

/** Some of the chains go a little further on their last way. */
const ONE_MORE: Partial<Record<Place, Place>> = {
  'page:read': 'message:before-completion',
  'page-write:after': 'end:after',
};

const death = (way: Way, place: Place): Death => ({ way, place });

const beginnings: readonly Death[] = [
  death('forward', 'message:before-receipt'),
  death('forward', 'prepare:midway'),
  death('forward', 'prepare:before'),
  death('forward', 'prepare:after'),
  death('back', 'message:before-receipt'),
  death('again', 'message:before-receipt'),
  death('again', 'next:enqueued'),
];

const everyWay = (place: Place): readonly Death[] => {
  const more = ONE_MORE[place];
  return [
    death('forward', place),
    death('back', place),
    death('again', place),
    ...(more ? [death('again', more)] : []),
  ];
};

export const CHAINS: readonly Chain[] = [
  beginnings,
  ...PLACES_OF_A_PASS.filter((place) => !LAST_OF_A_WAY.includes(place)).map(everyWay),
  ...(['next:enqueued', 'message:before-completion', 'end:after'] as const).flatMap((place) => [
    [death('forward', place)],
    [death('forward', HALF_WAY), death('back', place)],
  ]),
].map((deaths) => ({ title: titleOf(deaths), deaths }));

/** `page:read there, page:read back`. */
function titleOf(deaths: readonly Death[]): string {
  return deaths.map(({ way, place }) => `${place} ${WORDS[way]}`).join(', ');
}
