// A vault's own 401 challenge: which Entra tenant it belongs to and for which audience it wants tokens. Asked for once per
// vault with a request that carries nothing, neither a token nor a body. The answer is a stranger's.
import { createPipelineRequest, type HttpClient, type PipelineResponse } from '@azure/core-rest-pipeline';
import { failure } from '../words/failures.ts';
import type { Failure, FailureFacts } from '../../../domain/failure.ts';
import { isGuid } from '../../../domain/ids.ts';
import { classifyNoAnswer } from '../no-answer.ts';
import { isRecord } from '../../../domain/plain-object.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { classifyVaultAnswer } from '../answers.ts';
import { NoAnswer } from '../../../adapters/https/bounded-https.ts';
import { readRefusal } from './vault-answers.ts';
import { findName } from './vault-name.ts';

const API_VERSION = '2025-07-01';

interface Challenge {
  /** Lower case. */
  readonly tenantId: string;
  readonly resource: string;
  /** A token was refused for want of these: a new one must be asked for with them. */
  readonly claims?: string;
}

/** The challenge in a 401's `WWW-Authenticate`, or undefined if there is none that can be understood. */
export function readChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || !/^Bearer /i.test(header)) return undefined;
  const parameter = (name: string): string | undefined =>
    new RegExp(`[ ,]${name}="([^"]{1,4096})"`, 'i').exec(header)?.[1];
  const authorization = parameter('authorization') ?? parameter('authorization_uri');
  const tenantId = /^https:\/\/[a-z0-9.-]{1,253}\/([0-9a-f-]{36})$/i.exec(authorization ?? '')?.[1]?.toLowerCase();
  const resource = parameter('resource');
  if (tenantId === undefined || !isGuid(tenantId) || resource === undefined) return undefined;
  const claims = parameter('error') === 'insufficient_claims' ? parameter('claims') : undefined;
  return { tenantId, resource, ...(claims !== undefined && isClaims(claims) ? { claims } : {}) };
}

/** The SDK takes them apart without looking first: base64 of a JSON object, nothing else. */
function isClaims(base64: string): boolean {
  try {
    return isRecord(JSON.parse(atob(base64)));
  } catch {
    return false;
  }
}

/** Asks a vault for its challenge. `audience` is the one that its DNS suffix stands for: a vault cannot choose another. */
export async function askForChallenge(
  http: HttpClient,
  vault: { readonly host: string; readonly audience: string },
  facts: FailureFacts,
): Promise<Result<Challenge, Failure>> {
  const url = `https://${vault.host}/keys?api-version=${API_VERSION}&maxresults=1`;
  let response: PipelineResponse;
  try {
    response = await http.sendRequest(createPipelineRequest({ url, method: 'GET' }));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return err(await noAnswerFrom(error, facts));
  }
  if (response.status !== 401) return err(classifyVaultAnswer(readRefusal(response), facts));
  const challenge = readChallenge(response.headers.get('www-authenticate'));
  if (challenge?.resource === vault.audience) return ok(challenge);
  const detail = challenge ? 'its challenge asks for tokens for something else' : 'its challenge names no tenant';
  return err(failure('vault-error', { ...facts, detail }, { status: 401 }));
}

/** Of a name without an address, asks DNS for more. */
export async function noAnswerFrom(
  { code, message }: Pick<NoAnswer, 'code' | 'message'>,
  facts: FailureFacts,
): Promise<Failure> {
  const nameFound = code === 'ENOTFOUND' ? await findName(facts.vaultHost ?? '') : 'unknown';
  return classifyNoAnswer({ errorCode: code, message, nameFound }, facts);
}
