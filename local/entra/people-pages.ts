// What Entra shows people: who are you, do you accept, you need an admin, we have trouble. Makes HTML only.
import type { EmulatorReply } from '../http/emulator-http.ts';
import { button, hiddenField, html, NOTHING, pageReply } from '../oidc/html.ts';
import type { EntraError } from './aadsts.ts';
import type { Errand } from './errands.ts';

/** `problem`: why the name that was just entered did not do. */
export function whoAreYou(errand: Errand, context: string, problem?: string): EmulatorReply {
  const { tenant, app, loginHint } = errand;
  const body = html`
    ${problem === undefined ? NOTHING : html`<p role="alert">${problem}</p>`}
    <p>to continue to ${app.displayName} in ${tenant.displayName}</p>
    <form method="post" action="/${tenant.tenantId}/login">
      ${hiddenField('ctx', context)}
      <label for="loginfmt">Email, phone, or Skype</label>
      <input id="loginfmt" name="loginfmt" type="email" list="accounts" value="${loginHint}" />
      <datalist id="accounts">
        ${[...tenant.users.values()].map((user) => html`<option value="${user.userName}">${user.displayName}</option>`)}
      </datalist>
      ${button('sign-in', 'Sign in')} ${button('cancel', 'Back')}
    </form>
  `;
  return pageReply({ title: 'Sign in to your account', body });
}

export function doYouAccept(errand: Errand, context: string): EmulatorReply {
  const { kind, tenant, app, user, scope } = errand;
  const whole =
    kind === 'admin-consent'
      ? html`<p>
          Review for your organization ${tenant.displayName}. If you accept, this app will get access to the specified
          resources for all users in your organization.
        </p>`
      : html`<p>Review for ${tenant.displayName}.</p>`;
  const body = html`
    <p>${user?.userName ?? ''}</p>
    <p>${app.displayName} (${app.appId}) would like to: ${scope}</p>
    ${whole}
    <form method="post" action="/${tenant.tenantId}/Consent/Set">
      ${hiddenField('ctx', context)} ${button('accept', 'Accept')} ${button('decline', 'Cancel')}
    </form>
  `;
  return pageReply({ title: 'Permissions requested', body });
}

export function needAdminApproval(errand: Errand, context: string, { code, text }: EntraError): EmulatorReply {
  const body = html`
    <p>${errand.user?.userName ?? ''}</p>
    <p>${text}</p>
    <p>AADSTS${String(code)}</p>
    <form method="post" action="/${errand.tenant.tenantId}/Consent/Set">
      ${hiddenField('ctx', context)} ${button('return', 'Return to the application without granting consent')}
    </form>
  `;
  return pageReply({ title: 'Need admin approval', body, detail: { code } });
}

export function trouble({ code, status }: EntraError, description: string): EmulatorReply {
  const body = html`<p>Sorry, but we’re having trouble signing you in.</p>
    <p>${description}</p>`;
  return pageReply({ title: 'Sign in', body, status, detail: { code } });
}
