// Waits for the end of a switch.
import { setTimeout as delay } from 'node:timers/promises';
import type { Company, Provider } from '../test/end-to-end/company.ts';

const POLL_MS = 100;

/** Looked at ten times a second: every look reads all shards, and must not be what is measured. */
export async function untilCompleted(company: Company, switchId: string): Promise<void> {
  for (;;) {
    await delay(POLL_MS);
    const { state, blocked } = await company.view(switchId);
    if (state === 'completed') return;
    if (blocked) throw new Error(`the switch is blocked: ${JSON.stringify(blocked)}`);
  }
}

/** Throws unless it was accepted. */
export async function orderSwitch(company: Company, switchId: string, target: Provider): Promise<void> {
  const { status } = await company.order(switchId, target);
  if (status !== 202) throw new Error(`the switch was answered ${status}`);
}
