// What clients of sign-in services must do, whatever implements them: run over the fake and over the adapter with the emulators. People go
// to an address that was answered, and what they come back with is redeemed.
import { expect, test } from 'vitest';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/result.ts';
import { GLOBAL_ADMINISTRATOR } from '../../shared/identity/entra/admin.ts';
import type { SignInCallback, SignInRequest } from '../../shared/identity/identity.ts';
import type { SignInClients } from '../../shared/identity/registry/tenant-kinds.ts';

export interface SignInsRig {
  readonly signIns: SignInClients;
  /** Never twice the same but for the redirect URI. */
  readonly request: () => SignInRequest;
  /** Whoever comes back from Microsoft is a Global Administrator of the tenant. */
  readonly tenantOfAdmin: () => Promise<string>;
  readonly backFromMicrosoft: (address: string, tenantId: string) => Promise<string>;
  /** From Google, the Super Admin of `acme.example`. */
  readonly backFromGoogle: (address: string) => Promise<string>;
}

type Callback = SignInCallback & { readonly tenantId: string };

export function describeSignIns(rigOf: () => SignInsRig): void {
  const atMicrosoft = async (): Promise<Callback> => {
    const { signIns, request, tenantOfAdmin, backFromMicrosoft } = rigOf();
    const begun = { ...request(), tenantId: await tenantOfAdmin() };
    const address = await signIns.microsoft.url(begun);
    if (!address.ok) throw new Error(address.error.code);
    return { ...begun, query: await backFromMicrosoft(address.value, begun.tenantId) };
  };
  const atGoogle = async (): Promise<Callback> => {
    const { signIns, request, backFromGoogle } = rigOf();
    const begun = { ...request(), tenantId: 'acme.example' };
    const address = await signIns.google.url(begun);
    if (!address.ok) throw new Error(address.error.code);
    return { ...begun, query: await backFromGoogle(address.value) };
  };
  const codeOf = (result: Result<unknown, Failure>): string => (result.ok ? 'nothing' : result.error.code);

  test('an administrator who comes back from Microsoft is known by tenant and roles', async () => {
    const callback = await atMicrosoft();
    const person = await rigOf().signIns.microsoft.redeem(callback);
    expect(person).toMatchObject({ ok: true, value: { tenantId: callback.tenantId } });
    expect(person.ok && person.value.roleTemplateIds).toContain(GLOBAL_ADMINISTRATOR);
  });

  test('a Super Admin who comes back from Google is known by Workspace', async () => {
    const person = await rigOf().signIns.google.redeem(await atGoogle());
    expect(person).toMatchObject({ ok: true, value: { domain: 'acme.example', isSuperAdmin: true } });
    const customerId = expect.stringMatching(/^C0/) as string;
    expect(person.ok && person.value.workspace).toEqual({ customerId, isDomainProved: true });
  });

  test('what somebody came back with counts once', async () => {
    const { signIns } = rigOf();
    const [microsoft, google] = [await atMicrosoft(), await atGoogle()];
    await signIns.microsoft.redeem(microsoft);
    await signIns.google.redeem(google);
    expect(codeOf(await signIns.microsoft.redeem(microsoft))).toBe('sign-in-used');
    expect(codeOf(await signIns.google.redeem(google))).toBe('sign-in-unknown');
  });

  test.each([
    ['state', 'sign-in-unknown', 'sign-in-unknown'],
    ['codeVerifier', 'sign-in-other-browser', 'sign-in-unknown'],
    ['nonce', 'id-token-wrong-nonce', 'id-token-wrong-nonce'],
  ] as const)('what came back for another %s is refused', async (name, byMicrosoft, byGoogle) => {
    const { signIns, request } = rigOf();
    const other = { [name]: request()[name] };
    expect(codeOf(await signIns.microsoft.redeem({ ...(await atMicrosoft()), ...other }))).toBe(byMicrosoft);
    expect(codeOf(await signIns.google.redeem({ ...(await atGoogle()), ...other }))).toBe(byGoogle);
  });

  test("another tenant's sign-in is refused", async () => {
    const { signIns, tenantOfAdmin } = rigOf();
    const callback = { ...(await atMicrosoft()), tenantId: await tenantOfAdmin() };
    expect(codeOf(await signIns.microsoft.redeem(callback))).toBe('sign-in-unknown');
  });

  test('an error that comes back is the answer, whatever code stands beside it', async () => {
    const { signIns } = rigOf();
    const [microsoft, google] = [await atMicrosoft(), await atGoogle()];
    const declined = (query: string): string => `${query}&error=access_denied&error_description=AADSTS65004%3A+no`;
    const query = declined(microsoft.query);
    expect(codeOf(await signIns.microsoft.redeem({ ...microsoft, query }))).toBe('consent-declined');
    expect(codeOf(await signIns.google.redeem({ ...google, query: declined(google.query) }))).toBe('consent-declined');
  });
}
