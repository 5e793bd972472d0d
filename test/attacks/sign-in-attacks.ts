// Every attack on sign-ins, claims and tenants that the suite tries, once: its name for ever, and the risk of the OWASP API Security
// Top 10 of 2023 that it belongs to. A list of its own beside attacks.ts, with numbers of its own.
import { test } from 'vitest';

interface Attack {
  readonly name: string;
  readonly risk: `API${number}`;
}

export const SIGN_IN_ATTACKS = {
  T01: { risk: 'API2', name: 'come back from Microsoft with a state that was never given out' },
  T02: { risk: 'API2', name: 'send a callback a second time' },
  T03: { risk: 'API2', name: 'come back after the state or the code has expired' },
  T04: { risk: 'API1', name: "come back with another company's state, or rename its company" },
  T05: { risk: 'API6', name: 'send a callback twice at once' },
  T06: { risk: 'API6', name: 'press the button of the second question twice at once' },
  T07: { risk: 'API2', name: 'pass an error off as consent by admin_consent=True' },
  T08: { risk: 'API2', name: 'forge the redirect of admin consent where nobody consented' },
  T09: { risk: 'API2', name: 'go on in another browser than the one that began' },
  T10: { risk: 'API2', name: 'name another tenant in the redirect of admin consent' },
  T11: { risk: 'API2', name: 'sign in as an administrator of another tenant' },
  T12: { risk: 'API5', name: 'sign in as an ordinary user of the tenant' },
  T13: { risk: 'API8', name: 'sign in while the app does not ask for directory roles' },
  T14: { risk: 'API2', name: "put the code of one's own sign-in into somebody else's callback" },
  T15: { risk: 'API2', name: 'use a state of one step in another' },
  T16: { risk: 'API2', name: 'show an ID token for another audience' },
  T17: { risk: 'API2', name: 'show an ID token of another issuer or tenant' },
  T18: { risk: 'API2', name: 'show an ID token that is signed with another key' },
  T19: { risk: 'API2', name: 'show an ID token without a signature, or signed with a shared secret' },
  T20: { risk: 'API2', name: 'show an ID token that has expired' },
  T21: { risk: 'API2', name: 'show an ID token from the future' },
  T22: { risk: 'API2', name: 'show an ID token with the nonce of another sign-in' },
  T23: { risk: 'API2', name: 'vouch for a Google Workspace from another domain, or from none' },
  T24: { risk: 'API5', name: 'vouch for a Google Workspace as delegated admin or ordinary user' },
  T25: { risk: 'API10', name: 'have the directory of Google speak of another user' },
  T26: { risk: 'API8', name: 'press a button of our pages from the page of another site' },
  T27: { risk: 'API1', name: 'change a letter of a link' },
  T28: { risk: 'API6', name: 'use a link after its connection was pointed to another key' },
  T29: { risk: 'API1', name: "take over another company's vault key by consent of the same administrator" },
  T30: { risk: 'API6', name: 'keep a company from its own vault key by naming it first' },
  T31: { risk: 'API1', name: "claim somebody else's vault key by consent in a tenant of one's own" },
  T32: { risk: 'API1', name: 'point a connection to another tenant' },
  T33: { risk: 'API1', name: "ride on the service principal that another company's consent left in the tenant" },
  T34: { risk: 'API5', name: 'release a claim as company admin' },
  T35: { risk: 'API6', name: 'take a vault key away from a company that depends on it' },
  T36: { risk: 'API6', name: 'approve one switch with the link to another' },
  T37: { risk: 'API2', name: "write or copy an administrator's word into the tables" },
  T38: { risk: 'API5', name: 'register or remove a tenant as company admin' },
  T39: { risk: 'API6', name: 'swap the destination after the administrators approved it' },
  T40: { risk: 'API4', name: 'hold up the other administrators of a company with the link to one' },
  T41: { risk: 'API6', name: 'move a company as the vendor by removing the tenants that hold its switch' },
  T42: { risk: 'API5', name: "move a company without tenants as the vendor, without its admin's word" },
  T43: { risk: 'API4', name: 'learn by a made-up link or state, and by the time of its answer, which companies exist' },
  T44: { risk: 'API6', name: 'have an approved export made to another recipient than the approved one' },
  T45: { risk: 'API2', name: 'answer in a browser in which an administrator is still signed in' },
  T46: { risk: 'API1', name: 'come by a connection in force by taking over the name of its vault' },
  T47: { risk: 'API5', name: 'have a connection in force follow its vault, as the vendor' },
  T48: { risk: 'API2', name: 'go on using a vault key by an old token after the tenant has shut the app out' },
  T49: { risk: 'API6', name: "write an admin's permission for a switch or an export into the tables" },
  T50: { risk: 'API2', name: 'vouch for a domain from another Google Workspace than the one that did first' },
  T51: { risk: 'API2', name: 'vouch for a domain from a Google Workspace that was had by an e-mail address alone' },
  T52: { risk: 'API6', name: "move a company as the vendor by the word of a tenant of the vendor's own" },
  T53: { risk: 'API6', name: "keep a vault key from others after one's connection was pointed elsewhere" },
  T54: { risk: 'API4', name: 'hide acts and security events behind refusals that take no token' },
  T55: { risk: 'API6', name: 'get a switch past its tenants by writing its state into the tables' },
  T56: { risk: 'API6', name: 'end a switch as the vendor after the customer took the key in force away' },
  T57: { risk: 'API6', name: 'have the vault that a switch leads to serve in place of one that denies, by the tables' },
  T58: { risk: 'API5', name: 'make, change or remove a connection to a key that the vendor hosts, as company admin' },
  T59: { risk: 'API7', name: "send the app's own identity to the vendor's own vaults, spelt in whatever way" },
  T60: { risk: 'API1', name: "come by another company's key that the vendor hosts, or by one in the same vault" },
  T61: { risk: 'API1', name: 'reach a vault that the vendor hosts by consent, as another kind of connection' },
  T62: { risk: 'API6', name: 'keep a company from its own vault key by entering it as hosted for another' },
} as const satisfies Readonly<Record<string, Attack>>;

type SignInAttackId = keyof typeof SIGN_IN_ATTACKS;

export function attack(id: SignInAttackId, attempt: () => Promise<void>): void {
  test(`${id} ${SIGN_IN_ATTACKS[id].name}`, attempt);
}
