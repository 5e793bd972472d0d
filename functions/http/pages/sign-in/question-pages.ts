// The two questions of a sign-in: before it, what will happen; after it, whether it is really meant. Pure.
import { html, type Html } from '../shell/html.ts';
import { facts, form, name, section, time, type PageContext } from '../shell/layout.ts';
import { nameWithId, serviceOf, subjectFacts, tenantName, whatItGives, whoMustSignIn } from './subject.ts';
import type { PageView, Subject } from './views.ts';

type Start = Extract<PageView, { page: 'start' }>;
type Confirmation = Extract<PageView, { page: 'confirmation' }>;

/** What a yes is called, on the button and around it. */
const YES = { consent: 'Grant', verification: 'Confirm' } as const;

export const startPage = ({ subject, action }: Start, context: PageContext): Html => html`
  <h1>${startTitle(subject)}</h1>
  ${introduction(subject, context)}
  ${subjectFacts(subject, context, [['The link is valid until', time(subject.expiresAt)]])}
  ${section(
    'Who must sign in',
    html`${whoMustSignIn(subject)}
      <p>If that is not you, send the link to that person. Opening it has changed nothing.</p>`,
  )}
  ${whatItGives(subject, context)} ${section('What happens next', steps(subject))}
  ${form(action, {}, [{ label: `Continue to ${serviceOf(subject)}` }])}
`;

export const startTitle = (subject: Subject): string =>
  subject.purpose === 'consent'
    ? 'Let an application use one key in your key vault'
    : subject.approval.for === 'switch'
      ? 'Approve a change of key for data from your tenant'
      : 'Approve a copy of the key to data from your tenant';

function introduction(subject: Subject, { vendorName }: PageContext): Html {
  const company = name(subject.company.displayName);
  if (subject.purpose === 'consent' && subject.movedFrom !== undefined) {
    return html`<p>
      The data that ${name(vendorName)} keeps for ${company} is protected by a key in the key vault below, which was
      moved to another Entra tenant. Until an administrator of that tenant consents, the data cannot be opened. Nothing
      changes hands before the key has been seen to open what it protects.
    </p>`;
  }
  if (subject.purpose === 'consent') {
    return html`<p>
      The data that ${name(vendorName)} keeps for ${company} is to be protected by a key in a key vault of the company’s
      own. For that, ${name(vendorName)} asks for administrator consent in the Entra tenant of the vault.
    </p>`;
  }
  const wanted =
    subject.approval.for === 'switch' ? 'the key that protects this data changes' : 'the key is copied out';
  return html`<p>
    Among the data that ${name(vendorName)} keeps for ${company} is data from ${tenantName(subject)}. Before ${wanted},
    an administrator of that tenant must approve.
  </p>`;
}

function steps(subject: Subject): Html {
  if (subject.purpose === 'verification') {
    return html`<ol>
      <li>You sign in at ${serviceOf(subject)}.</li>
      <li>Back here, you are asked once more, and can decline.</li>
    </ol>`;
  }
  return html`<ol>
    <li>You sign in at Microsoft and accept the application.</li>
    <li>Microsoft asks you to sign in once more, to prove who it was that accepted.</li>
    <li>Back here, you are asked once more, and can decline.</li>
  </ol>`;
}

export const confirmationTitle = (subject: Subject): string =>
  subject.purpose === 'consent'
    ? 'Grant consent for this key?'
    : subject.approval.for === 'switch'
      ? 'Approve this change of key?'
      : 'Approve this copy of the key?';

export const confirmationPage = (view: Confirmation, context: PageContext): Html => {
  const { subject, action, person, field } = view;
  return html`
    <h1>${confirmationTitle(subject)}</h1>
    <p>You are signed in, and nothing has been decided yet. Check that everything below is what you expect.</p>
    ${facts([['You are signed in as', nameWithId(person.displayName, person.id)]])} ${subjectFacts(subject, context)}
    ${whatItGives(subject, context)}
    <p>If you decline, nothing changes.</p>
    ${form(action, { [field.name]: field.value }, [
      { label: YES[subject.purpose], name: 'answer', value: 'confirm' },
      { label: 'Decline', name: 'answer', value: 'decline', isSecond: true },
    ])}
  `;
};
