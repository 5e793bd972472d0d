// An HTTP client that remembers its last answer, for clients whose own errors do not tell what was answered. Knows no service.
import type { HttpClient } from '@azure/core-rest-pipeline';
import { boundedHttps, NoAnswer, type AnswerLimits } from './bounded-https.ts';

export class RecordedHttps implements HttpClient {
  readonly #http: HttpClient;
  /** Undefined while there is none: before the first request, and while one is under way. */
  protected last: { readonly status: number; readonly text: string } | NoAnswer | undefined;

  constructor(limits: AnswerLimits) {
    this.#http = boundedHttps(limits);
  }

  readonly sendRequest: HttpClient['sendRequest'] = async (request) => {
    this.last = undefined;
    try {
      const response = await this.#http.sendRequest(request);
      this.last = { status: response.status, text: response.bodyAsText ?? '' };
      return response;
    } catch (error) {
      if (error instanceof NoAnswer) this.last = error;
      throw error;
    }
  };
}
