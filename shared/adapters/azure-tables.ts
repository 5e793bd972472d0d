// Table Storage through @azure/data-tables: its pipeline brings the token, the version header and our HTTP client, and
// tries nothing twice. Requests are built and read here (table-transaction.ts, table-cells.ts): the SDK's own way deletes
// unconditionally, confuses types on the way back and costs 35 µs of CPU per entity, five times as much.
import { randomUUID } from 'node:crypto';
import { createHttpHeaders, createPipelineRequest, type HttpClient } from '@azure/core-rest-pipeline';
import { RestError, TableServiceClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { err, ok, type Result } from '../domain/result.ts';
import { present } from '../domain/plain-object.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { RowPage, RowWrite, StoreClock, StoredRow, TableName, Tables, WriteOutcome } from '../store/tables.ts';
import type { Clock, Entropy, Timers } from '../domain/ports.ts';
import { assertTransactionLimits, BeyondTableLimits, MAX_TRANSACTION_BYTES } from '../store/table-limits.ts';
import { AccessRefused } from './https/access-refused.ts';
import { boundedHttps, NoAnswer } from './https/bounded-https.ts';
import { Deadline } from './https/deadline.ts';
import { entityIn, isAnswerTo, NotAnAnswer, pageIn, type PagePosition, type TableAnswer } from './table-answer.ts';
import { answered, refuseAway, refused } from './table-refusals.ts';
import { assertETags, entityPath, errorIn, transactionBody, transactionOutcome } from './table-transaction.ts';

export interface AzureTablesOptions {
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly timers: Pick<Timers, 'sleep'>;
  readonly entropy: Pick<Entropy, 'bytes'>;
  readonly clock: Clock;
  /** For one answer. A whole call, with its token and all attempts, takes at most half as long again. */
  readonly timeoutMs?: number;
}

const TABLE_NAMES: readonly TableName[] = [
  'companies',
  'datakeys',
  'vaultkeys',
  'requests',
  'agenda',
  'events',
  'health',
];
/** A query runs for five seconds at most in the service. */
const TIMEOUT_MS = 10_000;
/** A page has at most 4 MiB of entities, plus base64 and names. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_ROWS_PER_PAGE = 1_000;
const WHOLE_CALL = 1.5;
const READ_ATTEMPTS = 5;
const FIRST_DELAY_MS = 50;
const ACCEPT = 'application/json;odata=minimalmetadata';
const JSON_TYPE = 'application/json';

export class AzureTables implements Tables, StoreClock {
  readonly #endpoint: string;
  readonly #http: HttpClient;
  readonly #limitMs: number;
  readonly #service: TableServiceClient;
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #entropy: Pick<Entropy, 'bytes'>;
  readonly #clock: Clock;
  #aheadMs: number | undefined;

  constructor(options: AzureTablesOptions) {
    this.#endpoint = options.endpoint.replace(/\/$/, '');
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#http = boundedHttps({ maxBytes: MAX_ANSWER_BYTES, timeoutMs });
    this.#limitMs = timeoutMs * WHOLE_CALL;
    this.#service = new TableServiceClient(this.#endpoint, options.credential, {
      httpClient: this.#http,
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
    });
    this.#timers = options.timers;
    this.#entropy = options.entropy;
    this.#clock = options.clock;
  }

  /** Creates missing tables. For a first start; in Azure the infrastructure creates them. */
  async createTables(): Promise<void> {
    for (const name of TABLE_NAMES) await this.#service.createTable(name);
  }

  async read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined> {
    const place = { table, partitionKey, rowKey };
    return this.#get(`${table}${entityPath(partitionKey, rowKey)}`, (answer) =>
      answer.status === 404 ? undefined : entityIn(answer, place),
    );
  }

  async list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    const { table, partitionKey, before, from, to, limit, continuation } = query;
    const position = continuation === undefined ? undefined : (JSON.parse(continuation) as PagePosition);
    const after = position && 'after' in position ? position.after : query.after;
    const conditions = [`PartitionKey eq ${literal(partitionKey)}`];
    if (after !== undefined) conditions.push(`RowKey gt ${literal(after)}`);
    if (from !== undefined) conditions.push(`RowKey ge ${literal(from)}`);
    if (before !== undefined) conditions.push(`RowKey lt ${literal(before)}`);
    if (to !== undefined) conditions.push(`RowKey le ${literal(to)}`);
    const top = Math.max(1, Math.min(limit, MAX_ROWS_PER_PAGE));
    const parameters = [
      `$filter=${encodeURIComponent(conditions.join(' and '))}`,
      `$top=${top}`,
      ...(position && 'nextPartition' in position ? continuationParameters(position) : []),
    ];
    const range = { table, partitionKey, top, ...present({ after, before, from, to, position }) };
    return this.#get(`${table}()?${parameters.join('&')}`, (answer) => {
      if (answer.status !== 200) throw new NotAnAnswer('a list that is not found');
      return pageIn(answer, range);
    });
  }

  /**
   * Always one $batch, also for a single write: so there is one form of answer, and one way in which it names the write that failed. Sent once. A lost
   * or unreadable answer is `unknown`; a refusal that no race explains is a bug and throws.
   */
  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    assertTransactionLimits(partitionKey, writes);
    assertETags(writes);
    const boundaryId = randomUUID();
    const body = transactionBody({ tableUrl: `${this.#endpoint}/${table}`, partitionKey, writes, boundaryId });
    const bytes = Buffer.byteLength(body);
    if (bytes > MAX_TRANSACTION_BYTES) throw new BeyondTableLimits(`a transaction of ${bytes} bytes`);
    const contentType = `multipart/mixed; boundary=batch_${boundaryId}`;
    let sent: Sent;
    try {
      const headers = { 'Content-Type': contentType, Accept: JSON_TYPE };
      sent = await new Deadline(this.#limitMs).race(
        (abortSignal) => this.#send('POST', '$batch', { headers, body, abortSignal }),
        tooLate,
      );
    } catch (error) {
      if (error instanceof NoAnswer) return { outcome: 'unknown' };
      throw error;
    }
    const { answer, requestId } = sent;
    if (!isAnswerTo(answer, requestId)) return { outcome: 'unknown' };
    this.#hearTime(answer);
    const { status, text } = answer;
    const outcome = transactionOutcome(writes, { status, text, contentType: answer.header('content-type') });
    if (outcome.outcome !== 'refused') return outcome;
    refuseAway(outcome.status, outcome.code);
    throw refused(table, outcome);
  }

  aheadMs(): number | undefined {
    return this.#aheadMs;
  }

  /** `Date`, in whole seconds: https://learn.microsoft.com/rest/api/storageservices/query-entities#response-headers */
  #hearTime(answer: TableAnswer): void {
    const toldMs = Date.parse(answer.header('date') ?? '');
    this.#aheadMs = Number.isNaN(toldMs) ? undefined : toldMs - this.#clock.now().getTime();
  }

  async #get<T>(path: string, read: (answer: TableAnswer) => T): Promise<T> {
    const deadline = new Deadline(this.#limitMs);
    for (let attempt = 1; ; attempt += 1) {
      const problem = await deadline.race(
        (abortSignal) => this.#attempt(path, read, abortSignal),
        () => err('ETIMEDOUT'),
      );
      if (problem.ok) return problem.value;
      if (attempt === READ_ATTEMPTS || deadline.leftMs === 0)
        throw new StoreUnavailable(`Table Storage: ${problem.error}`);
      const jitter = 0.5 + (this.#entropy.bytes(1)[0] ?? 0) / 256;
      await this.#timers.sleep(FIRST_DELAY_MS * 2 ** attempt * jitter);
    }
  }

  /** What was read, or an error that may pass. `read` gets answers with 200, and with 404 if the service says that the row is missing. */
  async #attempt<T>(
    path: string,
    read: (answer: TableAnswer) => T,
    abortSignal: AbortSignal,
  ): Promise<Result<T, string>> {
    try {
      const { answer, requestId } = await this.#send('GET', path, { headers: { Accept: ACCEPT }, abortSignal });
      const { status } = answer;
      const error = status === 200 ? { code: '', message: '' } : errorIn(answer.text);
      if (status >= 500 || status === 408 || status === 429) return err(answered(status, error.code));
      refuseAway(status, error.code || (answer.header('x-ms-error-code') ?? ''));
      if (!isAnswerTo(answer, requestId)) return err(`an answer of somebody else: ${status}`);
      this.#hearTime(answer);
      if (status === 200) return ok(read(answer));
      if (status === 404 && error.code === 'ResourceNotFound') return ok(read(answer));
      if (status < 400 || error.code === '') return err(`an answer that is none: ${status}`);
      throw refused(path.split(/[(?]/, 1)[0] ?? '', { status, ...error });
    } catch (error) {
      if (error instanceof NoAnswer) return err(error.code);
      if (error instanceof NotAnAnswer) return err(error.message);
      throw error;
    }
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    { headers, body, abortSignal }: { headers: Record<string, string>; body?: string; abortSignal: AbortSignal },
  ): Promise<Sent> {
    const requestId = randomUUID();
    const request = createPipelineRequest({
      url: `${this.#endpoint}/${path}`,
      method,
      headers: createHttpHeaders({ 'x-ms-version': '2019-02-02', DataServiceVersion: '3.0', ...headers }),
      requestId,
      abortSignal,
      ...(body === undefined ? {} : { body }),
    });
    try {
      const response = await this.#service.pipeline.sendRequest(this.#http, request);
      const answer = {
        status: response.status,
        text: response.bodyAsText ?? '',
        // The pipeline has already parsed it.
        json: 'parsedBody' in response ? response.parsedBody : undefined,
        header: (name: string) => response.headers.get(name),
      };
      return { answer, requestId };
    } catch (error) {
      if (error instanceof AccessRefused) throw new StoreUnavailable(`Table Storage: ${error.failure.code}`);
      if (error instanceof RestError)
        throw new NoAnswer(error.code ?? 'UNREADABLE', `an unreadable answer to ${method}`);
      throw error;
    }
  }
}

interface Sent {
  readonly answer: TableAnswer;
  /** The service sends it back, which shows that the answer belongs to this request. */
  readonly requestId: string;
}

function tooLate(): never {
  throw new NoAnswer('ETIMEDOUT', 'no whole answer in time');
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const continuationParameters = (from: { readonly nextPartition: string; readonly nextRow?: string }): string[] => [
  `NextPartitionKey=${encodeURIComponent(from.nextPartition)}`,
  ...(from.nextRow === undefined ? [] : [`NextRowKey=${encodeURIComponent(from.nextRow)}`]),
];
