// Somebody who signed in and answers, with what they were asked. Types only.
import type { SignedIn } from '../../domain/sign-in-link.ts';
import type { Asked } from './asked.ts';
import type { FoundState } from './states.ts';
import type { SubjectNow } from './subject-now.ts';

export interface Answering<S extends SubjectNow = SubjectNow> {
  readonly asked: Asked<S>;
  readonly state: FoundState;
  readonly person: SignedIn;
}
