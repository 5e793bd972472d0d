// The parts of a page that say what it is about: the company, the key, the tenant, what is approved. Pure. Every page of one sign-in uses the
// same words, so that a person who is asked twice can compare.
import { code, facts, name, section, type Fact, type PageContext } from '../shell/layout.ts';
import { html, type Html } from '../shell/html.ts';
import type { TenantWords } from '../../../../shared/identity/identity.ts';
import { OWNER_OF_VAULTS, tenantKind } from '../../../../shared/identity/registry/tenant-kinds.ts';
import { whoAsked } from './who-asked.ts';
import type { Approval, ConsentSubject, Subject, VerificationSubject } from './views.ts';

/** How the kind of tenant is called whose administrator is asked. */
const wordsOf = (subject: Subject): TenantWords =>
  (subject.purpose === 'consent' ? OWNER_OF_VAULTS : tenantKind(subject.tenant.kind)).words;

/** Whose sign-in page the browser is sent to. */
export const serviceOf = (subject: Subject): string => wordsOf(subject).service;

export const subjectFacts = (subject: Subject, context: PageContext, more: readonly Fact[] = []): Html =>
  facts([
    ['Vendor', name(context.vendorName)],
    ['Company', nameWithId(subject.company.displayName, subject.company.id)],
    ...(subject.purpose === 'consent' ? consentFacts(subject) : verificationFacts(subject, context)),
    ['Asked for by', whoAsked(subject.requestedBy, context)],
    ...more,
  ]);

/** Always with the id: two companies may have the same display name. */
export const nameWithId = (displayName: string, id: string): Html =>
  html`${name(displayName)} <span class="id">(${code(id)})</span>`;

const consentFacts = ({ connectionId, key, movedFrom, applicationId }: ConsentSubject): readonly Fact[] => [
  ['Connection', code(connectionId)],
  ['Key vault', code(key.vaultHost)],
  ['Key', code(key.keyName)],
  ['Entra tenant of the vault', code(key.tenantId)],
  ...(movedFrom === undefined ? [] : ([['Entra tenant until it was moved', code(movedFrom)]] as const)),
  ['Application (client) id', code(applicationId)],
];

const verificationFacts = (subject: VerificationSubject, context: PageContext): readonly Fact[] => [
  [wordsOf(subject).tenant, tenantName(subject)],
  ...approvalFacts(subject.approval, context),
];

const approvalFacts = (approval: Approval, { vendorName }: PageContext): readonly Fact[] => {
  if (approval.for === 'export') {
    return [
      ['What is approved', html`an export of the company key of the keyring ${code(approval.keyringId)}`],
      recipientFact(approval.recipient),
    ];
  }
  const { isVendors, isHosted, vaultHost, keyName, tenantId } = approval.destination;
  const { switchId, keyringId } = approval;
  return [
    ['What is approved', html`the switch ${code(switchId)} of the keyring ${code(keyringId)}`],
    [
      'Protected afterwards by',
      isVendors
        ? html`the key of ${name(vendorName)} itself, not of the company`
        : isHosted === true
          ? html`a key of the company’s own, in a key vault that ${name(vendorName)} hosts in its own Entra tenant,
            where its administrators can reach it`
          : html`a key in the key vault below, which should be the company’s own`,
    ],
    ['Key vault', code(vaultHost)],
    ['Key', code(keyName)],
    ['Entra tenant of the vault', code(tenantId)],
  ];
};

const recipientFact = (recipient: Extract<Approval, { for: 'export' }>['recipient']): Fact =>
  recipient.type === 'public-key'
    ? ['Encrypted to the public key with the thumbprint', html`${code(recipient.thumbprint)} (RFC 7638, SHA-256)`]
    : ['Encrypted by', html`a passphrase that is chosen when the export is made, and that nobody is shown here`];

export const tenantName = ({ tenant }: VerificationSubject): Html => {
  return tenant.displayName === undefined ? code(tenant.id) : nameWithId(tenant.displayName, tenant.id);
};

/** Who alone can answer. */
export const whoMustSignIn = (subject: Subject): Html => {
  const { article, roles, place, note } = wordsOf(subject).speaker;
  const tenantId = subject.purpose === 'consent' ? subject.key.tenantId : subject.tenant.id;
  const anyRole = roles.map((role, index) => html`${index === 0 ? '' : ' or '}<strong>${role}</strong>`);
  return html`<p>${article} ${anyRole} ${place} ${code(tenantId)}. ${note}</p>`;
};

/** What a yes gives, and what it does not. */
export const whatItGives = (subject: Subject, context: PageContext): Html =>
  subject.purpose === 'consent' ? consentGives(subject, context) : verificationGives(subject, context);

const consentGives = ({ key }: ConsentSubject, { vendorName }: PageContext): Html => html`
  ${section(
    'What is granted',
    html`<ul>
      <li>The application gets a service principal in your tenant. By itself, that gives it access to nothing.</li>
      <li>
        Afterwards an administrator of the key vault assigns it the role
        <strong>Key Vault Crypto Service Encryption User</strong> on the key ${code(key.keyName)} alone. With it, the
        application can read the key’s metadata, and wrap and unwrap with the key. It only ever reads the metadata and
        unwraps: Azure has no smaller built-in role, and a custom role without wrapping is enough.
      </li>
    </ul>`,
  )}
  ${section(
    'What is not granted',
    html`<ul>
      <li>The key itself never leaves the vault, and ${name(vendorName)} cannot change or delete it.</li>
      <li>No other key, secret or certificate, no mail, file or user of your tenant.</li>
      <li>Nothing permanent: remove the role assignment or the service principal, and access ends.</li>
    </ul>`,
  )}
`;

const verificationGives = (subject: VerificationSubject, context: PageContext): Html => html`
  ${section('What you approve', approvalMeans(subject.approval, context))}
  ${section('What the sign-in is for', html`<p>${wordsOf(subject).signIn}</p>`)}
`;

const approvalMeans = (approval: Approval, { vendorName }: PageContext): Html =>
  approval.for === 'export'
    ? html`<p>
          A copy of the company key is handed to whoever asked for it. With it, the company’s data, including your
          tenant’s, can be opened without ${name(vendorName)} and without any key vault. A copy cannot be taken back.
        </p>
        ${
          approval.recipient.type === 'public-key'
            ? html`<p>
                Whoever has the private key to the thumbprint above can open the copy, and nobody else. Ask people you
                know for the thumbprint, by another way than this link, and compare: the link itself proves nothing.
              </p>`
            : html`<p>
                Whoever knows the passphrase can open the copy. Nobody can tell here who that will be: if you need to
                know, decline, and ask for an export to a public key.
              </p>`
        }
        <p>Your approval holds for one export of this key to this recipient, and for nothing else.</p>`
    : html`<p>
          From then on, the company’s data, including your tenant’s, is protected by the key named above. Whoever holds
          that key decides who can open the data. For a limited time afterwards, an administrator of the company can
          take one copy of the company key, to a recipient of their choice.
        </p>
        <p>
          Your approval holds for this switch to this key, and for nothing else. If the destination changes, it is void.
        </p>`;
