// Many deletes of one company at once, over HTTP, on two hosts: each is told the truth, and none that the store is away.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Company } from './company.ts';
import { startRun } from './harness.ts';
import type { Answer, ErrorBody, Run } from './run.ts';

let run: Run;
beforeAll(async () => {
  run = await startRun({ hosts: 2 });
});
afterAll(() => run.close());

const allAtOnce = (companyId: string, count: number): Promise<Answer<ErrorBody>[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const host = run.environment.hosts[index % 2];
      return run.call<ErrorBody>('DELETE', `/companies/${companyId}`, host ? { host } : {});
    }),
  );

test.each([10, 20])('%i deletes of an empty company are told that it is deleted, or going on', async (count) => {
  const companyId = `empty-${count}`;
  await run.call('PUT', `/companies/${companyId}`, { body: {} });
  const statuses = (await allAtOnce(companyId, count)).map(({ status }) => status);
  expect(statuses.filter((status) => status !== 204 && status !== 202)).toEqual([]);
  expect(statuses).toContain(204);
  const put = await run.call<ErrorBody>('PUT', `/companies/${companyId}`, { body: {} });
  expect([put.status, put.body.error.code]).toEqual([410, 'company-closed']);
});

test('twenty deletes of a company with 300 data keys are told of them, and every key stays', async () => {
  const company = await Company.create(run, 'in-use', 300);
  for (const { status, body } of await allAtOnce('in-use', 20)) {
    expect([status, body.error.code]).toEqual([409, 'company-has-data-keys']);
  }
  expect(await company.different()).toEqual([]);
});
