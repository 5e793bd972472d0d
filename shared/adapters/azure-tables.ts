// Table Storage through @azure/data-tables: its pipeline brings the token, the version header and our HTTP client, and
// tries nothing twice. Requests are built and read here (table-transaction.ts, table-cells.ts): the SDK's own way deletes
// unconditionally, confuses types on the way back and costs 35 µs of CPU per entity, five times as much.
import { randomUUID } from 'node:crypto';
import { createHttpHeaders, createPipelineRequest, type HttpClient } from '@azure/core-rest-pipeline';
import { RestError, TableServiceClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type {
  Entropy,
  RowPage,
  RowWrite,
  StoredRow,
  TableName,
  Tables,
  Timers,
  WriteOutcome,
} from '../operations/ports.ts';
import { AccessRefused } from './access-refused.ts';
import { boundedHttps, NoAnswer } from './bounded-https.ts';
import { storedRow } from './table-cells.ts';
import { assertTransaction, entityPath, errorIn, transactionBody, transactionOutcome } from './table-transaction.ts';

export interface AzureTablesOptions {
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly timers: Pick<Timers, 'sleep'>;
  readonly entropy: Pick<Entropy, 'bytes'>;
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
/** A page has at most 4 MiB of entities; base64 and names come on top. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_ROWS_PER_PAGE = 1_000;
const READ_ATTEMPTS = 5;
const FIRST_DELAY_MS = 50;
const ACCEPT = 'application/json;odata=minimalmetadata';
const NEXT_PARTITION = 'x-ms-continuation-nextpartitionkey';
const NEXT_ROW = 'x-ms-continuation-nextrowkey';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
  header(name: string): string | undefined;
}

export class AzureTables implements Tables {
  readonly #endpoint: string;
  readonly #http: HttpClient;
  readonly #service: TableServiceClient;
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #entropy: Pick<Entropy, 'bytes'>;

  constructor(options: AzureTablesOptions) {
    this.#endpoint = options.endpoint.replace(/\/$/, '');
    this.#http = boundedHttps({ maxBytes: MAX_ANSWER_BYTES, timeoutMs: options.timeoutMs ?? TIMEOUT_MS });
    this.#service = new TableServiceClient(this.#endpoint, options.credential, {
      httpClient: this.#http,
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
    });
    this.#timers = options.timers;
    this.#entropy = options.entropy;
  }

  /** Makes the tables that are missing. For a first start; in Azure they come with the infrastructure. */
  async createTables(): Promise<void> {
    for (const name of TABLE_NAMES) await this.#service.createTable(name);
  }

  async read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined> {
    const answer = await this.#get(`${table}${entityPath(partitionKey, rowKey)}`);
    if (answer.status === 404) return undefined;
    return storedRow(answer.json);
  }

  async list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    const { table, partitionKey, after, before, limit, continuation } = query;
    const conditions = [`PartitionKey eq ${literal(partitionKey)}`];
    if (after !== undefined) conditions.push(`RowKey gt ${literal(after)}`);
    if (before !== undefined) conditions.push(`RowKey lt ${literal(before)}`);
    const parameters = [
      `$filter=${encodeURIComponent(conditions.join(' and '))}`,
      `$top=${Math.max(1, Math.min(limit, MAX_ROWS_PER_PAGE))}`,
      ...(continuation === undefined ? [] : continuationParameters(continuation)),
    ];
    const answer = await this.#get(`${table}()?${parameters.join('&')}`);
    const { value } = answer.json as { value?: unknown };
    const rows = Array.isArray(value) ? value.flatMap((entity) => storedRow(entity) ?? []) : [];
    const next = [answer.header(NEXT_PARTITION), answer.header(NEXT_ROW)];
    // A page may be empty and yet not the last.
    return next[0] === undefined ? { rows } : { rows, continuation: JSON.stringify(next) };
  }

  /**
   * Always one $batch, also for a single write: one form of answer to understand, one way in which it names the write that
   * lost. Sent once. A lost answer is `unknown`; a refusal that no race explains is a bug and throws.
   */
  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    assertTransaction(writes);
    const boundaryId = randomUUID();
    const body = transactionBody({ tableUrl: `${this.#endpoint}/${table}`, partitionKey, writes, boundaryId });
    const contentType = `multipart/mixed; boundary=batch_${boundaryId}`;
    let answer: Answer;
    try {
      answer = await this.#send('POST', '$batch', { 'Content-Type': contentType, Accept: 'application/json' }, body);
    } catch (error) {
      if (error instanceof NoAnswer) return { outcome: 'unknown' };
      throw error;
    }
    refuseUnauthorized(answer);
    const outcome = transactionOutcome(writes, answer);
    if (!outcome) throw refused(answer, table);
    return outcome;
  }

  async #get(path: string): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#attempt(path);
      if (typeof answer !== 'string') return answer;
      if (attempt === READ_ATTEMPTS) throw new StoreUnavailable(`Table Storage: ${answer}`);
      const jitter = 0.5 + (this.#entropy.bytes(1)[0] ?? 0) / 256;
      await this.#timers.sleep(FIRST_DELAY_MS * 2 ** attempt * jitter);
    }
  }

  /** The answer, or what may pass. */
  async #attempt(path: string): Promise<Answer | string> {
    try {
      const answer = await this.#send('GET', path, { Accept: ACCEPT });
      if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return `answered ${answer.status}`;
      refuseUnauthorized(answer);
      const missing = answer.status === 404 && errorIn(answer.text).code === 'ResourceNotFound';
      if (answer.status !== 200 && !missing) throw refused(answer, path.split(/[(?]/, 1)[0] ?? '');
      return answer;
    } catch (error) {
      if (error instanceof NoAnswer) return error.code;
      throw error;
    }
  }

  async #send(method: 'GET' | 'POST', path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    const request = createPipelineRequest({
      url: `${this.#endpoint}/${path}`,
      method,
      headers: createHttpHeaders({ 'x-ms-version': '2019-02-02', DataServiceVersion: '3.0', ...headers }),
      ...(body === undefined ? {} : { body }),
    });
    try {
      const response = await this.#service.pipeline.sendRequest(this.#http, request);
      return {
        status: response.status,
        text: response.bodyAsText ?? '',
        // The pipeline has parsed it already.
        json: 'parsedBody' in response ? response.parsedBody : undefined,
        header: (name) => response.headers.get(name),
      };
    } catch (error) {
      if (error instanceof AccessRefused) throw new StoreUnavailable(`Table Storage: ${error.failure.code}`);
      if (error instanceof RestError)
        throw new NoAnswer(error.code ?? 'UNREADABLE', `an unreadable answer to ${method}`);
      throw error;
    }
  }
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function continuationParameters(continuation: string): string[] {
  const [partition, row] = JSON.parse(continuation) as [string, string | null];
  return [
    `NextPartitionKey=${encodeURIComponent(partition)}`,
    ...(row === null ? [] : [`NextRowKey=${encodeURIComponent(row)}`]),
  ];
}

/** No right to our own tables: a role that has not arrived yet, or one that was taken away. Nothing was done. */
function refuseUnauthorized({ status }: Answer): void {
  if (status === 401 || status === 403) throw new StoreUnavailable(`Table Storage: answered ${status}`);
}

function refused(answer: Answer, table: string): Error {
  const { code, message } = errorIn(answer.text);
  return new Error(`Table Storage refused a request to ${table}: ${answer.status} ${code} ${message}`);
}
