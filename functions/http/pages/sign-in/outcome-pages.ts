// How a sign-in ended: granted, verified, declined. Pure.
import { html, type Html } from '../shell/html.ts';
import { code, command, heading, name, section, type PageContext } from '../shell/layout.ts';
import { subjectFacts, tenantName } from './subject.ts';
import type { PageView } from './views.ts';

type Of<P extends PageView['page']> = Extract<PageView, { page: P }>;

export const consentGrantedPage = (
  { subject, principalId, azureCli }: Of<'consent-granted'>,
  context: PageContext,
): Html => html`
  ${heading('Consent is granted', 'good')}
  <p>
    The application has a service principal in your tenant, and ${name(context.vendorName)} has checked that it works.
    It has no access to the key yet.
  </p>
  ${section(
    'What is left to do',
    html`<ol>
      <li>
        An administrator of the key vault assigns the role
        <strong>Key Vault Crypto Service Encryption User</strong> on the key ${code(subject.key.keyName)} to the service
        principal.
      </li>
      <li>In the product of ${name(context.vendorName)}, the connection ${code(subject.connectionId)} is tested.</li>
    </ol>`,
  )}
  ${
    azureCli === undefined
      ? undefined
      : section(
          'The assignment as a command',
          html`<p>For the Azure CLI, all in one:</p>
            ${command(azureCli)}`,
        )
  }
  ${section(
    'The assignment in the Azure portal',
    html`<ol>
      <li>
        Open the key vault ${code(subject.key.vaultHost)}, then <em>Keys</em>, then ${code(subject.key.keyName)}, then
        <em>Access control (IAM)</em>.
      </li>
      <li>
        Choose <em>Add role assignment</em> and the role <strong>Key Vault Crypto Service Encryption User</strong>.
      </li>
      <li>
        As member, choose the service principal with the application id ${code(subject.applicationId)}: compare the id,
        not the name.
      </li>
    </ol>`,
  )}
  ${section(
    'What was granted',
    subjectFacts(
      subject,
      context,
      principalId === undefined ? [] : [['Service principal (object id)', code(principalId)]],
    ),
  )}
  <p>You can close this page.</p>
`;

export const tenantVerifiedPage = ({ subject, tenantsLeft }: Of<'tenant-verified'>, context: PageContext): Html => html`
  ${heading('The tenant is verified', 'good')}
  <p>Your approval for ${tenantName(subject)} is recorded.</p>
  ${section('What happens next', html`<p>${whatIsNext(subject.approval.for, tenantsLeft)}</p>`)}
  ${section('What you approved', subjectFacts(subject, context))}
  <p>You can close this page.</p>
`;

function whatIsNext(approved: 'switch' | 'export', tenantsLeft: number): string {
  if (tenantsLeft > 0) {
    const left = tenantsLeft === 1 ? 'One more tenant' : `${tenantsLeft} more tenants`;
    return `${left} of this company must be verified. Until then nothing is changed.`;
  }
  return approved === 'switch'
    ? 'Every tenant of the company is verified: the switch goes on by itself.'
    : 'Every tenant of the company is verified: the company key can be exported once.';
}

export const declinedPage = ({ subject }: Of<'declined'>, context: PageContext): Html => html`
  <h1>You declined</h1>
  <p>Nothing has changed. Whoever asked you can ask again with a new link.</p>
  ${
    subject.purpose === 'consent'
      ? html`<p>
          If you accepted the application ${code(subject.applicationId)} at Microsoft before, its service principal is
          still in your tenant. It has access to nothing, and you can delete it under <em>Enterprise applications</em>.
        </p>`
      : undefined
  }
  ${section('What you declined', subjectFacts(subject, context))}
  <p>You can close this page.</p>
`;
