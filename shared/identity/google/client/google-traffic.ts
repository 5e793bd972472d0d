// What Google really answered on the way of one sign-in: its OAuth endpoints and its directory of users.
import type { Failure } from '../../../domain/failure.ts';
import { failure } from '../words/failures.ts';
import { isRecord } from '../../../domain/plain-object.ts';
import { googleRefusal } from '../sign-in-answer.ts';
import { NoAnswer } from '../../../adapters/https/bounded-https.ts';
import { RecordedHttps } from '../../../adapters/https/recorded-https.ts';

export class GoogleTraffic extends RecordedHttps {
  /** Why a sign-in failed: no answer, what Google said last, or the error of the code that could not use the answer. */
  explain(error: unknown): Failure {
    const { last } = this;
    if (last instanceof NoAnswer) {
      return failure('google-unreachable', { detail: last.code }, { code: last.code, message: last.message });
    }
    const status = last?.status ?? 0;
    if (status === 408 || status === 429 || status >= 500) {
      return failure('google-unreachable', { detail: `status ${status}` }, { status });
    }
    if (last && status !== 200) return ofOAuth(last);
    return failure('google-error', {}, { message: error instanceof Error ? error.message : String(error) });
  }
}

function ofOAuth({ status, text }: { readonly status: number; readonly text: string }): Failure {
  const { error, error_description: description } = jsonIn(text);
  const told = {
    error: typeof error === 'string' ? error : '',
    ...(typeof description === 'string' ? { description } : {}),
  };
  const found = googleRefusal(told);
  return { ...found, service: { ...found.service, status } };
}

/** A JSON object, empty if it is none. */
export function jsonIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
