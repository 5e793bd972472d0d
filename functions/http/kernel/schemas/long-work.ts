// How far long work is, in the words that the pollers of Azure's SDKs know. Pure.
// @azure/core-lro takes an answer without `status` as done, and polls for ever on a word that it does not know; Python's azure-core
// refuses an answer without it. The words are those of Microsoft's REST API guidelines.
import * as z from 'zod';

export const longWorkStatus = z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']).meta({
  id: 'LongWorkStatus',
  description:
    'For pollers that follow Operation-Location. The last three are ends. A switch never ends as `Failed`: one that cannot go on is `Running` and says in `blocked` whose move it is.',
});

export type LongWorkStatus = z.output<typeof longWorkStatus>;

/** Whether the work is over. While it is not, an answer carries Retry-After. */
export const hasEnded = (status: LongWorkStatus): boolean => status !== 'NotStarted' && status !== 'Running';
