// A person who signed in answers a question. Every yes uses up the question and ends the link, in the transaction of what it is a yes to.
import type { Actor } from '../../domain/audit.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { SignedIn } from '../../domain/sign-in-link.ts';
import type { Writes } from '../../store/tx.ts';
import { loadAsked, type Asked } from './asked.ts';
import { findStateAgain, markUsed, type FoundState } from './states.ts';
import type { SignInDependencies } from './step.ts';
import type { SubjectNow } from './subject-now.ts';

export interface Question<S extends SubjectNow = SubjectNow> {
  readonly asked: Asked<S>;
  readonly state: FoundState;
}

export interface Answering<S extends SubjectNow = SubjectNow> extends Question<S> {
  readonly person: SignedIn;
}

/** Link, subject and question again, for the ETags to write under: all may have moved since the page was shown. */
export async function findQuestionAgain(
  deps: SignInDependencies,
  { asked: shown, state: found }: Question,
): Promise<Result<Question, Refusal>> {
  const { linkHash } = shown;
  // First, so that a second press of the button is told from a link that another person has answered.
  const state = await findStateAgain(deps, found);
  if (!state.ok) return state;
  const asked = await loadAsked(deps, { companyId: shown.company.companyId, linkHash });
  if (asked.ok) return ok({ asked: asked.value, state: state.value });
  // The same answer given twice at once: the other may have ended the link since the question was read.
  const open = await findStateAgain(deps, found);
  return open.ok ? asked : open;
}

export function closeQuestion(
  { clock }: { readonly clock: Clock },
  tx: Writes,
  { asked: { link }, state }: Question,
  by: Actor,
): void {
  const at = clock.now();
  markUsed(tx, state, { at, by });
  tx.replace(link, { ...link.value, doneAt: at.toISOString() });
}
