// Watch, scene 5: Contoso gives its key back, and everything goes on by itself.
import type { Demo } from '../../demo.ts';
import type { KeyBook } from '../../key-book.ts';
import { untilUnwrappedAtEach } from '../../probes.ts';
import { tellHeard } from '../../receiver.ts';
import { tellCheck } from '../../vault-health.ts';
import { setKeyEnabled } from '../../vault-owner.ts';
import { seconds } from '../../words.ts';

export async function givenBack(demo: Demo, book: KeyBook): Promise<void> {
  const { screen, environment } = demo;
  const { contoso } = environment.customers;
  screen.section('5  Contoso gives its key back');
  await setKeyEnabled(demo, contoso, { enabled: true });
  const enabledAt = Date.now();
  const resumed = await untilUnwrappedAtEach(demo, book);
  const after = resumed.map((at) => seconds(at - enabledAt)).join(' and ');
  screen.done(`Contoso enables its key. Both hosts unwrap again by themselves, after ${after}.`);
  screen.detail('The state follows within a minute. The demo asks for a check, POST …/check.', 'quiet');
  await tellCheck(demo, contoso, 'healthy');
  await tellHeard(demo, { type: 'vault.healthy', since: enabledAt });
}
