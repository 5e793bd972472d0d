// What it means that Entra answers a sign-in with an error, in the redirect back or in place of tokens. Pure, and never fails.
import { failure, type EntraFailureCode } from './words/failures.ts';
import type { Failure, FailureFacts } from '../../domain/failure.ts';
import { codeByKey, codeShown, quoted, type SignInError } from '../oauth-answer.ts';
import { PARTNER, PERSONAL_ACCOUNT } from './words/sign-in-failures.ts';
import { aadstsOf, classifyEntraError, isOfOurApp } from './answers.ts';
import { PERSON_BLOCKED } from './words/token-failures.ts';

/** What a redirect back says: of admin consent and of a sign-in alike. */
export function microsoftRefusal(told: SignInError, facts: FailureFacts): Failure {
  const { error, description = '' } = told;
  const number = aadstsOf(description);
  const said = {
    code: number === undefined ? codeShown(error) : `AADSTS${number}`,
    message: quoted(told),
    ...correlationOf(description),
  };
  if (number === undefined && PERSONAL_SERVICE.test(description)) {
    return failure('sign-in-wrong-tenant', { ...facts, detail: PERSONAL_ACCOUNT }, said);
  }
  const bare = BY_OAUTH_CODE.get(error);
  if (number === undefined && bare !== undefined) return failure(bare, withDetail(bare, said.code, facts), said);
  // The text stays behind, so that none of it gets into a sentence.
  const found = classifyEntraError({ message: '', ...(number === undefined ? {} : { aadsts: number }) }, facts);
  const detail = found.code === 'entra-error' || found.code === 'entra-refused' ? { detail: said.code } : {};
  const refusal = ofPerson(failure(found.code, { ...found.facts, ...detail }, said));
  // Only whether it is so: none of the text gets any further.
  return refusal.code === 'sign-in-wrong-tenant' && PERSONAL_PROVIDER.test(description)
    ? failure(refusal.code, { ...refusal.facts, detail: PERSONAL_ACCOUNT }, said)
    : refusal;
}

/** As 50020, 16000 and their relatives name who knows the account. The id is that of all personal accounts. */
const PERSONAL_PROVIDER =
  /identity provider '(?:https:\/\/sts\.windows\.net\/9188040d-6c67-4c5b-b112-36a304b66dad\/?|live\.com|MSA|google\.com|facebook\.com)'/i;

/** The words of Microsoft's service for personal accounts, which has no numbers. */
const PERSONAL_SERVICE = /not enabled for consumers/i;

/** What Entra answered instead of tokens, in the words that fit a person's sign-in. */
export function ofPerson(found: Failure): Failure {
  const number = aadstsOf(found.service?.code ?? '');
  const code = number === undefined ? undefined : BY_AADSTS.get(number);
  if (code === undefined) return refusedForNoKnownReason(found, number);
  const said = SAID_BY_NUMBER.get(number ?? 0);
  const facts =
    said === undefined ? withDetail(code, `AADSTS${number}`, found.facts) : { ...found.facts, detail: said };
  return failure(code, facts, found.service);
}

/** Waiting mends neither, and there is no token of ours to try again. */
function refusedForNoKnownReason(found: Failure, number: number | undefined): Failure {
  if (number === undefined) return found;
  const signInRefusedBy = isOfOurApp(number) ? 'vendor' : 'tenant';
  if (signInRefusedBy === 'tenant' && found.code !== 'entra-refused') return found;
  return failure('entra-refused', { ...found.facts, detail: `AADSTS${number}`, signInRefusedBy }, found.service);
}

function withDetail(code: EntraFailureCode, name: string, facts: FailureFacts): FailureFacts {
  if (code === 'blocked-by-conditional-access') return { ...facts, detail: PERSON_BLOCKED };
  return code === 'sign-in-refused' ? { ...facts, detail: name } : facts;
}

function correlationOf(description: string): { correlationId?: string } {
  const id = /Correlation ID: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i.exec(description)?.[1];
  return id === undefined ? {} : { correlationId: id };
}

const PARTNERS = [90099, 530034];
const PERSONAL = [50136, 50139, 90027, 500200, 500201, 500207, 500208, 9001023, 9002332];

/**
 * What only a person's sign-in meets; answers.ts knows the rest. Numbers as in Microsoft's reference "Microsoft Entra
 * authentication and authorization error codes", and public threads; one that Microsoft adds is `entra-refused` until it is added here.
 */
const BY_AADSTS = codeByKey<EntraFailureCode, number>([
  // An ordinary user where only an administrator may consent.
  ['admin-role-missing', [90093, 90094, 90095, 900941]],
  // A partner's delegated administrator.
  ['admin-role-missing', PARTNERS],
  // The account is not of this tenant and no guest of it: not there, deleted, or let through to another tenant's checks.
  ['sign-in-wrong-tenant', [16000, 16001, 16003, 50014, 50020, 50034, 50143, 50177, 50178, 51004, 90072, 90084]],
  ['sign-in-wrong-tenant', [160021, 500341]],
  ['sign-in-wrong-tenant', PERSONAL],
  ['blocked-by-conditional-access', [50005, 50131, 53000, 53001, 53002, 53003, 53004, 53010, 53011]],
  ['blocked-by-conditional-access', [53005, 53008, 53009, 530001, 530002, 530003, 530004, 530021]],
  ['blocked-by-conditional-access', [530031, 530032, 530035, 530036]],
  // Locked, disabled, password or second factor not in order, not assigned to the app, tenant restrictions.
  ['sign-in-refused', [50002, 50053, 50055, 50056, 50057, 50058, 50064, 50072, 50074, 50076, 50078, 50079, 50088]],
  ['sign-in-refused', [50097, 50105, 50125, 50126, 50127, 50129, 50132, 50133, 50135, 50140, 50144, 50155, 50158]],
  [
    'sign-in-refused',
    [50161, 50173, 50187, 50192, 50197, 50199, 54000, 500021, 500022, 500121, 500212, 500213, 500571],
  ],
  // What the company's own directory or identity provider did not let through.
  ['sign-in-refused', [20001, 20012, 20033, 40008, 40009, 40015, 50008, 50107, 50180, 51006, 80001, 80007, 80010]],
  ['sign-in-refused', [80012, 80013, 80014, 81004, 81012, 90123, 130004, 130007, 130008, 135011]],
  ['sign-in-used', [54005]],
  ['sign-in-expired', [50089, 70008]],
  // A code that Entra did not make, or made for another app or tenant.
  ['sign-in-unknown', [70000, 700005, 9002313]],
  // A code that belongs to another sign-in's proof key.
  ['sign-in-other-browser', [50148, 501481]],
  ['entra-unreachable', [40010, 50033, 50087, 70012, 80002, 80005]],
]);

/** What the number alone says beyond its code. */
const SAID_BY_NUMBER: ReadonlyMap<number, string> = new Map([
  ...PARTNERS.map((number): [number, string] => [number, PARTNER]),
  ...PERSONAL.map((number): [number, string] => [number, PERSONAL_ACCOUNT]),
]);

/** OAuth's own codes, where Entra gives no number. */
const BY_OAUTH_CODE = codeByKey<EntraFailureCode, string>([
  ['consent-declined', ['access_denied']],
  ['consent-required', ['consent_required']],
  ['sign-in-refused', ['login_required', 'interaction_required', 'account_selection_required']],
  ['entra-unreachable', ['server_error', 'temporarily_unavailable']],
  ['entra-tenant-not-found', ['invalid_tenant']],
]);
