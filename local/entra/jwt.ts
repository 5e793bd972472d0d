// Takes a signed token (RS256) apart and checks its signature. What its claims mean is for others to judge.
import { verify, type KeyObject } from 'node:crypto';

export interface ParsedToken {
  /** Empty when the header names no key. */
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>>;
  isSignedBy(key: KeyObject): boolean;
}

/** `undefined` for anything that is not three parts of a token signed with RS256. */
export function parseToken(text: string): ParsedToken | undefined {
  const [head, body, tail, ...rest] = text.split('.');
  if (head === undefined || body === undefined || tail === undefined || rest.length > 0) return undefined;
  const header = decode(head);
  const claims = decode(body);
  if (!header || !claims || header['alg'] !== 'RS256') return undefined;
  const signed = Buffer.from(`${head}.${body}`);
  const signature = Buffer.from(tail, 'base64url');
  return {
    kid: typeof header['kid'] === 'string' ? header['kid'] : '',
    claims,
    isSignedBy: (key) => verify('sha256', signed, key, signature),
  };
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
