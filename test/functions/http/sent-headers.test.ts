import { expect, test } from 'vitest';
import { tellSentHeaders, type PassedRequest, type Told } from '../../../functions/http/kernel/sent-headers.ts';

const SENT = {
  authorization: ['Bearer a'],
  'x-arr-log-id': ['4f1c'],
  'x-forwarded-for': ['10.0.0.1'],
  host: ['localhost:1'],
};
const BODY = { 'content-length': ['9'], 'content-type': ['application/json'] };
const TOLD = {
  Authorization: 'Bearer a',
  'X-ARR-Log-Id': '4f1c',
  'X-Forwarded-For': '203.0.113.7:5',
  Host: 'a.example',
};
const TOLD_BODY = { 'Content-Length': '9', 'Content-Type': 'application/json' };

function seen(headers: unknown, request: Partial<PassedRequest> = {}, others: Record<string, Told> = {}): unknown {
  const metadata: Record<string, Told> = { ...others, Headers: { json: JSON.stringify(headers) } };
  tellSentHeaders(metadata, { method: 'GET', url: '/a', headersDistinct: SENT, ...request });
  expect(Object.keys(metadata).filter((name) => name.toLowerCase() === 'headers')).toEqual(['Headers']);
  return JSON.parse(metadata['Headers']?.json ?? '');
}

test('the app is told of the headers that were sent, and of the address that the host was told', () => {
  const expected = { authorization: 'Bearer a', 'x-arr-log-id': '4f1c', 'x-forwarded-for': '203.0.113.7:5' };
  expect(seen(TOLD)).toEqual(expected);
  const headersDistinct = { ...SENT, ...BODY };
  expect(seen({ ...TOLD, ...TOLD_BODY }, { method: 'PUT', headersDistinct })).toMatchObject(expected);
});

test('lines of one name are joined, those of cookies as cookies are', () => {
  const headersDistinct = { 'if-match': ['"a"', '"b"'], cookie: ['a=1', 'b=2'] };
  expect(seen({ 'If-Match': '"a","b"' }, { headersDistinct })).toEqual({ 'if-match': '"a", "b"', cookie: 'a=1; b=2' });
});

test('what a body or the query puts in their place is not believed', () => {
  const sent = { authorization: 'Bearer a', 'x-arr-log-id': '4f1c' };
  const chosen = { authorization: 'Bearer b', 'x-forwarded-for': '6.6.6.6', cookie: 'a=1' };
  const headersDistinct = { ...SENT, ...BODY };
  for (const method of ['PUT', 'POST'])
    expect(seen(chosen, { method, headersDistinct })).toEqual({ ...sent, ...JSON_BODY });
  // All of them as they were sent: where no body is taken nobody would refuse it for that.
  expect(seen({ ...TOLD, ...TOLD_BODY }, { method: 'DELETE', headersDistinct })).toEqual({ ...sent, ...JSON_BODY });
  expect(seen(TOLD, { url: '/a?b=1&hEADERS=%7B%7D' })).toEqual(sent);
  for (const odd of [null, 'text', 7, [1]]) expect(seen(odd)).toEqual(sent);
  expect(seen(TOLD, {}, { headers: { string: '{}' } })).toMatchObject(sent);
});

const JSON_BODY = { 'content-length': '9', 'content-type': 'application/json' };
