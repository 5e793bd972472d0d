// A person who signed in answers a question. Every yes uses up the question and ends the link, in the transaction of what it is a yes to.
import type { Actor } from '../../domain/audit.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { SignedIn } from '../../domain/sign-in-link.ts';
import { linkRowKey } from '../../store/rows/row-keys.ts';
import { linkCells } from '../../store/rows/sign-in-rows.ts';
import type { RowWrite } from '../../store/tables.ts';
import { loadAsked, type Asked } from './asked.ts';
import type { SignInDependencies } from './step.ts';
import { findStateAgain, usedWrite, type FoundState } from './states.ts';
import type { SubjectNow } from './subject-now.ts';

export interface Answering<S extends SubjectNow = SubjectNow> {
  readonly asked: Asked<S>;
  readonly state: FoundState;
  readonly person: SignedIn;
}

/** Reads link, subject and question again, for the ETags that are written under: all may have moved since the page was shown. */
export async function closeQuestion(
  deps: SignInDependencies,
  { asked: shown, state: found }: Answering,
  actor: Actor,
): Promise<Result<{ readonly asked: Asked; readonly writes: readonly RowWrite[] }, Refusal>> {
  const { linkHash } = shown;
  // First, so that a second press of the button is told from a link that another person has answered.
  const state = await findStateAgain(deps, found);
  if (!state.ok) return state;
  const asked = await loadAsked(deps, { companyId: shown.company.companyId, linkHash });
  if (!asked.ok) {
    // The same answer given twice at once: the other may have ended the link since the question was read.
    const open = await findStateAgain(deps, found);
    return open.ok ? asked : open;
  }
  const at = deps.clock.now();
  const { value: link, etag } = asked.value.link;
  const done: RowWrite = {
    kind: 'replace',
    rowKey: linkRowKey(linkHash),
    cells: linkCells({ ...link, doneAt: at.toISOString() }),
    etag,
  };
  return ok({ asked: asked.value, writes: [usedWrite(state.value, { at, by: actor }), done] });
}
