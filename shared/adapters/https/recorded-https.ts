// An HTTP client that remembers its last answer, for SDK clients whose errors do not contain it. Knows no service.
import type { HttpClient } from '@azure/core-rest-pipeline';
import { boundedHttps, NoAnswer, type AnswerLimits } from './bounded-https.ts';
import type { Deadline } from './deadline.ts';

export class RecordedHttps implements HttpClient {
  readonly #limits: AnswerLimits;
  readonly #deadline: Deadline | undefined;
  /** Undefined before the first request and while one is in progress. */
  protected last: { readonly status: number; readonly text: string } | NoAnswer | undefined;

  /** With `deadline`, all requests share the time until then, and each still has its own limit. */
  constructor(limits: AnswerLimits, deadline?: Deadline) {
    this.#limits = limits;
    this.#deadline = deadline;
  }

  readonly sendRequest: HttpClient['sendRequest'] = async (request) => {
    this.last = undefined;
    try {
      const timeoutMs = Math.min(this.#limits.timeoutMs, this.#deadline?.leftMs ?? Infinity);
      const response = await boundedHttps({ ...this.#limits, timeoutMs }).sendRequest(request);
      this.last = { status: response.status, text: response.bodyAsText ?? '' };
      return response;
    } catch (error) {
      if (error instanceof NoAnswer) this.last = error;
      throw error;
    }
  };
}
