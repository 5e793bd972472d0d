// Entra's refusals on the way of a person's sign-in: on its own pages, on the way back, and when the code is redeemed.
// Pure. Texts as in aadsts.ts; where no text could be found it is that of Microsoft's reference of error codes.
import type { EntraError } from './aadsts.ts';
import type { AppRegistration, Tenant } from './model.ts';

const refusal = (code: number, error: string, text: string): EntraError => ({ code, error, status: 400, text });
const badGrant = (code: number, text: string): EntraError => refusal(code, 'invalid_grant', text);

// On a page of Entra's: there is nowhere safe to send the person back to.

export const redirectUriUnknown = (redirectUri: string, appId: string): EntraError =>
  refusal(
    50011,
    'invalid_request',
    `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the ` +
      `application '${appId}'. Make sure the redirect URI sent in the request matches one added to your application ` +
      'in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to ' +
      'troubleshoot this error.',
  );

export const requestGone = (): EntraError =>
  refusal(165000, 'invalid_request', 'Invalid Request: The request tokens do not match the user context.');

export const adminApprovalNeeded = (app: AppRegistration): EntraError =>
  refusal(
    90094,
    'access_denied',
    `${app.displayName} needs permission to access resources in your organization that only an admin can grant. ` +
      'Please ask an admin to grant permission to this app before you can use it.',
  );

// On the way back to the application.

export const declined = (error: 'access_denied' | 'consent_required'): EntraError =>
  refusal(65004, error, 'User declined to consent to access the app.');

export const accountElsewhere = (app: AppRegistration, tenant: Tenant, home: Tenant): EntraError =>
  refusal(
    50020,
    'access_denied',
    `User account '{EmailHidden}' from identity provider 'https://sts.windows.net/${home.tenantId}/' does not exist in ` +
      `tenant '${tenant.displayName}' and cannot access the application '${app.appId}'(${app.displayName}) in that ` +
      'tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with ' +
      'a different Azure Active Directory user account.',
  );

export const notAssigned = (app: AppRegistration): EntraError =>
  refusal(
    50105,
    'access_denied',
    `Your administrator has configured the application ${app.displayName} ('${app.appId}') to block users unless they ` +
      "are specifically granted ('assigned') access to the application. The signed in user '{EmailHidden}' is blocked " +
      'because they are not a direct member of a group with access, nor had access directly assigned by an ' +
      'administrator. Please contact your administrator to assign access to this application.',
  );

export const noSession = (): EntraError =>
  refusal(50058, 'login_required', 'Session information is not sufficient for single-sign-on.');

export const responseTypeUnsupported = (given: string): EntraError =>
  refusal(700054, 'unsupported_response_type', `response_type '${given}' is not enabled for the application.`);

export const responseModeUnsupported = (given: string): EntraError =>
  refusal(70007, 'invalid_request', `'${given}' is not a supported value of 'response_mode' when requesting a token.`);

export const scopeWithoutOpenId = (): EntraError =>
  refusal(70011, 'invalid_scope', "The provided request must include a 'scope' input parameter with 'openid'.");

export const challengeMethodInvalid = (): EntraError =>
  refusal(50149, 'invalid_request', 'Invalid Code_Challenge_method parameter.');

export const challengeSizeInvalid = (): EntraError =>
  refusal(501491, 'invalid_request', 'Invalid size of Code_Challenge parameter.');

// From the token endpoint.

export const codeMalformed = (): EntraError => badGrant(9002313, 'Invalid request. Request is malformed or invalid.');

export const codeRedeemed = (): EntraError =>
  badGrant(
    54005,
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh ' +
      'token.',
  );

export const codeExpired = (): EntraError =>
  badGrant(
    70008,
    'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive ' +
      'authorization request for this user and resource.',
  );

export const codeOfOtherTenant = (): EntraError =>
  badGrant(700005, 'Provided Authorization Code is intended to use against other tenant, thus rejected.');

export const codeOfOtherApp = (): EntraError => badGrant(70000, 'Provided grant is invalid or malformed.');

export const replyAddressDiffers = (given: string, asked: string): EntraError =>
  refusal(
    500112,
    'invalid_client',
    `The reply address '${given}' does not match the reply address '${asked}' provided when requesting Authorization ` +
      'code.',
  );

export const verifierMissing = (): EntraError =>
  badGrant(
    50148,
    'The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.',
  );

export const verifierWrong = (): EntraError =>
  badGrant(501481, 'The Code_Verifier does not match the code_challenge supplied in the authorization request.');
