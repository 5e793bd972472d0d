// How the API says that a customer's vault is.
import type { Customer } from '../environment/customers.ts';
import type { HealthAnswer, HealthReportAnswer } from './answers.ts';
import { CONNECTION_ID } from './company.ts';
import type { Demo } from './demo.ts';

const pathOf = ({ name }: Customer): string => `/companies/${name}/connections/${CONNECTION_ID}`;

/** As the last check found it, of the timer or on request. Undefined before the first. */
export async function knownHealth({ api, environment }: Demo, customer: Customer): Promise<HealthAnswer | undefined> {
  const token = environment.tokens.companyAdmins[customer.name];
  const path = `${pathOf(customer)}/health`;
  return ((await api.must({ token, method: 'GET', path })) as HealthReportAnswer).current;
}

/** Has it checked now. */
export async function checkNow({ api, environment }: Demo, customer: Customer): Promise<HealthAnswer> {
  const token = environment.tokens.companyAdmins[customer.name];
  const path = `${pathOf(customer)}/check`;
  return (await api.must({ token, method: 'POST', path, body: {} })) as HealthAnswer;
}

/** Has it checked now, and tells what that found. */
export async function tellCheck(demo: Demo, customer: Customer, expected: string): Promise<void> {
  const health = await checkNow(demo, customer);
  demo.check(
    health.state === expected,
    `The vault’s health: ${inWords(health)}.`,
    `The vault should be ${expected}, and is ${inWords(health)}`,
  );
}

export const inWords = ({ state, code }: Pick<HealthAnswer, 'state' | 'code'>): string =>
  code === undefined ? state : `${state} (${code})`;
