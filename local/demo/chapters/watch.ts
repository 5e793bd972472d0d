// The chapter `watch`: what a company does with its key after it has taken over, and what may befall its vault; how soon each is felt, and who
// is told.
import type { Chapter } from '../chapter.ts';
import type { Demo } from '../demo.ts';
import { givenBack } from '../scenes/watch/given-back.ts';
import { onItsOwnKey } from '../scenes/watch/on-its-own-key.ts';
import { outage, VAULT_CALL_LIMIT_MS } from '../scenes/watch/outage.ts';
import { rotation } from '../scenes/watch/rotation.ts';
import { takenAway } from '../scenes/watch/taken-away.ts';
import { whatTheReceiverHeard } from '../scenes/watch/what-the-receiver-heard.ts';

export const WATCH: Chapter = {
  name: 'watch',
  about: 'a rotation, an outage, a revocation: how soon they are felt',
  title: 'Keyswitch: what happens to a company’s key, how soon it is felt, and who is told',
  keys: 200,
  readsFolder: false,
  settings: {
    KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: String(VAULT_CALL_LIMIT_MS / 1000),
    KEYSWITCH_NOTIFY_SCHEDULE: '* * * * * *',
  },
  breakable: {
    webhook: 'the receiver knows another secret',
    rotation: 'the new version is disabled at once',
    outage: 'the vault refuses instead of falling silent',
    revocation: 'nothing is taken away',
  },
  tell,
};

async function tell(demo: Demo): Promise<void> {
  const book = await onItsOwnKey(demo);
  await rotation(demo, book);
  await outage(demo, book);
  await takenAway(demo, book);
  await givenBack(demo, book);
  await whatTheReceiverHeard(demo);
}
