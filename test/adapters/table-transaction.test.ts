// Answers in the form in which Azure itself gives them (its documentation's samples), which Azurite's differs from.
import { describe, expect, it, test } from 'vitest';
import type { RowWrite } from '../../shared/store/tables.ts';
import { transactionBody, transactionOutcome } from '../../shared/adapters/table-transaction.ts';

const ETAG = `W/"datetime'2026-11-22T00%3A33%3A08.6763566Z'"`;
const insert = (rowKey: string): RowWrite => ({ kind: 'insert', rowKey, cells: { value: 1 } });
const remove = (rowKey: string): RowWrite => ({ kind: 'delete', rowKey, etag: ETAG });

const answerOf = (...parts: readonly string[]): { status: number; contentType: string; text: string } => {
  const head = '--batchresponse_e69b1c6c\r\nContent-Type: multipart/mixed; boundary=changesetresponse_8a28b620\r\n\r\n';
  const part = (text: string): string =>
    `--changesetresponse_8a28b620\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n${text}\r\n`;
  return {
    status: 202,
    contentType: 'multipart/mixed; boundary=batchresponse_e69b1c6c',
    text: `${head}${parts.map(part).join('')}--changesetresponse_8a28b620--\r\n--batchresponse_e69b1c6c--\r\n`,
  };
};
const DONE = `HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\nDataServiceVersion: 1.0;\r\nETag: ${ETAG}\r\n\r\n`;
const GONE = 'HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n\r\n';
const refusal = (status: number, code: string, message: string): string =>
  `HTTP/1.1 ${status} Words\r\nContent-Type: application/json;odata=minimalmetadata\r\n\r\n` +
  JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } });

describe('an answer of Azure', () => {
  const writes = [insert('a'), insert('b'), remove('c')];

  it('with every change done is committed', () => {
    expect(transactionOutcome(writes, answerOf(DONE, DONE, GONE))).toEqual({
      outcome: 'committed',
      etags: [ETAG, ETAG, ''],
    });
  });

  it.each([
    ['EntityAlreadyExists', 409, '1:The specified entity already exists.\nRequestId:1', 1, 'exists'],
    [
      'UpdateConditionNotSatisfied',
      412,
      '2:The update condition specified in the request was not satisfied.',
      2,
      'changed',
    ],
    ['ConditionNotMet', 412, '2:The condition specified using HTTP conditional header(s) is not met.', 2, 'changed'],
    ['ResourceNotFound', 404, '2:The specified resource does not exist.', 2, 'missing'],
    ['EntityNotFound', 404, '2:The specified entity was not found.', 2, 'missing'],
  ] as const)('with %s is a conflict at the change that it names', (code, status, message, index, reason) => {
    const outcome = { outcome: 'conflict', index, reason };
    expect(transactionOutcome(writes, answerOf(refusal(status, code, message)))).toEqual(outcome);
  });

  it('of one change may leave out which it was, of more it may not', () => {
    const answer = answerOf(refusal(409, 'EntityAlreadyExists', 'The specified entity already exists.'));
    expect(transactionOutcome([insert('a')], answer)).toEqual({ outcome: 'conflict', index: 0, reason: 'exists' });
    expect(transactionOutcome(writes, answer)).toEqual({ outcome: 'unknown' });
    const beyond = answerOf(refusal(409, 'EntityAlreadyExists', '7:The specified entity already exists.'));
    expect(transactionOutcome(writes, beyond)).toEqual({ outcome: 'unknown' });
  });

  it.each([
    ['ServerBusy', 503],
    ['OperationTimedOut', 500],
    ['InternalError', 500],
  ])('with %s is unknown', (code, status) => {
    expect(transactionOutcome(writes, answerOf(refusal(status, code, '0:words')))).toEqual({ outcome: 'unknown' });
  });

  it.each([
    ['TableNotFound', 404],
    ['TableBeingDeleted', 409],
    ['InvalidInput', 400],
    ['InvalidDuplicateRow', 400],
    ['PropertyValueTooLarge', 400],
    ['MethodNotAllowed', 405],
  ])('with %s is no conflict but a bug', (code, status) => {
    const refused = { outcome: 'refused', status, code, message: '0:words' };
    expect(transactionOutcome(writes, answerOf(refusal(status, code, '0:words')))).toEqual(refused);
  });

  it('that lacks a change or an ETag is unknown', () => {
    for (const parts of [[], [DONE], [DONE, DONE], [DONE, GONE, GONE], [DONE, DONE, GONE, DONE]]) {
      expect(transactionOutcome(writes, answerOf(...parts))).toEqual({ outcome: 'unknown' });
    }
  });
});

test('a cell cannot break out of its part of the request, nor a row key out of its line', () => {
  const boundaryId = '11111111-1111-4111-8111-111111111111';
  const nasty = `x\r\n--changeset_${boundaryId}--\r\nDELETE /t HTTP/1.1\r\n\r\n`;
  const body = transactionBody({
    tableUrl: 'https://account.table.core.windows.net/companies',
    partitionKey: nasty,
    writes: [
      { kind: 'insert', rowKey: nasty, cells: { value: nasty } },
      { kind: 'delete', rowKey: nasty, etag: ETAG },
    ],
    boundaryId,
  });
  expect(body.split('\r\n').filter((line) => line.startsWith(`--changeset_${boundaryId}`))).toHaveLength(3);
  expect(body.match(/^DELETE /gm)).toHaveLength(1);
  expect(body.match(/^If-Match: .*$/gm)).toEqual([`If-Match: ${ETAG}`]);
});
