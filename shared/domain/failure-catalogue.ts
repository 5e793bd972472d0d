// Makes failures from an area's entries, with the facts filled into their words. Pure.
import type { Failure, FailureCode, FailureEntry, FailureFacts } from './failure.ts';
import { shown } from './shell-text.ts';

export interface Catalogue<Code extends FailureCode> {
  readonly failure: (code: Code, facts?: FailureFacts, service?: Failure['service']) => Failure<Code>;
  /** Words the failure again with more facts; facts that it has already stay. A failure of another catalogue keeps its words. */
  readonly withFacts: (found: Failure, facts: FailureFacts) => Failure;
}

const MAX_SERVICE_MESSAGE_CHARACTERS = 2_000;

export function catalogue<Code extends FailureCode>(entries: Readonly<Record<Code, FailureEntry>>): Catalogue<Code> {
  const isOfThese = (code: FailureCode): code is Code => Object.hasOwn(entries, code);

  function failure(code: Code, facts: FailureFacts = {}, service?: Failure['service']): Failure<Code> {
    const { kind, owner, revokes, isTampering, words } = entries[code];
    const safe = showable(facts);
    return {
      code,
      kind,
      owner,
      ...words(safe),
      facts: safe,
      ...(revokes === undefined ? {} : { revokes }),
      ...(isTampering === undefined ? {} : { isTampering }),
      ...(service === undefined ? {} : { service: bounded(service) }),
    };
  }

  function withFacts(found: Failure, facts: FailureFacts): Failure {
    const all = { ...facts, ...found.facts };
    if (!isOfThese(found.code)) return { ...found, facts: showable(all) };
    return {
      ...failure(found.code, all, found.service),
      kind: found.kind,
      ...(found.becomesDeniedAt === undefined ? {} : { becomesDeniedAt: found.becomesDeniedAt }),
    };
  }

  return { failure, withFacts };
}

/** The codes of an area's entries. */
export const codesOf = <Code extends FailureCode>(entries: Readonly<Record<Code, FailureEntry>>): readonly Code[] =>
  Object.keys(entries) as Code[];

/** Facts come from callers and from services: cuts long values and removes line breaks. */
function showable(facts: FailureFacts): FailureFacts {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]: [string, unknown]): [string, unknown][] => {
      if (value === undefined) return [];
      return [[name, typeof value === 'string' ? shown(value) : value]];
    }),
  );
}

const bounded = (service: NonNullable<Failure['service']>): NonNullable<Failure['service']> =>
  service.message === undefined || service.message.length <= MAX_SERVICE_MESSAGE_CHARACTERS
    ? service
    : { ...service, message: service.message.slice(0, MAX_SERVICE_MESSAGE_CHARACTERS) };
