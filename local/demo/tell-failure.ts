// A refusal in the words of the product: what is wrong, whose move it is, what to do.
import type { Failure } from './answers.ts';
import type { Demo } from './demo.ts';

const OWNERS: Readonly<Record<string, string>> = {
  'company-admin': 'the company’s admin.',
  'azure-admin': 'the company’s Azure admin.',
  vendor: 'the vendor.',
};

export function tellFailure({ screen }: Demo, failure: Failure): void {
  screen.refused(failure.code, failure.message);
  // A page does not say whose move it is: it is that of whoever reads it.
  if (failure.kind !== undefined) {
    screen.detail(['Move:', OWNERS[failure.owner ?? ''] ?? 'nobody.', nature(failure)].join(' ').trimEnd(), 'quiet');
  }
  if (failure.remedy) screen.detail(`Fix: ${failure.remedy.text}`);
  if (failure.remedy?.azureCli !== undefined) screen.command(failure.remedy.azureCli);
}

function nature({ kind, becomesDeniedAt = '' }: Failure): string {
  if (kind === 'input') return 'Nothing was sent to Azure.';
  if (kind !== 'propagating') return '';
  return `A grant made just now may still be on its way: counted as denied from ${becomesDeniedAt.slice(11, 19)} UTC on.`;
}
