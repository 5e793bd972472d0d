// What Entra really answered to one credential. The SDK turns a refusal, an unknown tenant and a dead network into errors
// that look alike (docs/azure.md); the traffic itself tells them apart, and no second request is needed to find out.
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { classifyEntraError } from '../answers.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { isRecord } from '../../../domain/plain-object.ts';
import { NoAnswer } from '../../../adapters/https/bounded-https.ts';
import { refusalIn } from '../../../adapters/https/access-refused.ts';
import { RecordedHttps } from '../../../adapters/https/recorded-https.ts';

export class EntraTraffic extends RecordedHttps {
  /** Why a token was not to be had: an identity that failed before, what Entra said last, or the SDK's own words. */
  explain(error: unknown, facts: FailureFacts): Failure {
    const refusal = refusalIn(error);
    if (refusal) return { ...refusal, facts: { ...facts, ...refusal.facts } };
    const last = this.last;
    if (last instanceof NoAnswer) {
      return classifyNoAnswer({ errorCode: last.code, message: last.message }, facts);
    }
    if (last && last.status !== 200) return classifyEntraError({ status: last.status, ...said(last.text) }, facts);
    return classifyEntraError(fromSdk(error), facts);
  }
}

/** Entra's own error body, or as much of the text as says something. */
function said(text: string): { message: string; aadsts?: number; correlationId?: string } {
  try {
    const body: unknown = JSON.parse(text);
    if (!isRecord(body)) return { message: '' };
    const { error, error_description: description, error_codes: codes, correlation_id: correlationId } = body;
    const [first] = Array.isArray(codes) ? (codes as unknown[]) : [];
    return {
      message: [error, description].filter((part) => typeof part === 'string').join(': '),
      ...(typeof first === 'number' ? { aadsts: first } : {}),
      ...(typeof correlationId === 'string' ? { correlationId } : {}),
    };
  } catch {
    return { message: 'an answer that is no JSON' };
  }
}

/** The SDK's error has MSAL's as its cause; older ones have only the message. */
function fromSdk(error: unknown): Parameters<typeof classifyEntraError>[0] {
  const message = error instanceof Error ? error.message : String(error);
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (!isRecord(cause)) return { message };
  const { errorNo, status, correlationId } = cause;
  const aadsts = Number(errorNo);
  return {
    message,
    ...(Number.isSafeInteger(aadsts) && aadsts > 0 ? { aadsts } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
  };
}
