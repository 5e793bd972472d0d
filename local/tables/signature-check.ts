// Whether a bearer token was signed by Entra of this run. A token comes with every request, so a verdict is kept for
// the token's life.
import { createTokenCheck, type IssuerKeys } from '../service-bus/token-check.ts';

const MAX_TOKENS = 100;

/** What is no bearer token passes: Azurite refuses it with its own words. */
export function createSignatureCheck(keys?: IssuerKeys): (authorization?: string) => boolean | Promise<boolean> {
  if (!keys) return () => true;
  const check = createTokenCheck(keys);
  const genuineUntilMs = new Map<string, number>();
  return (authorization) => {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return true;
    if ((genuineUntilMs.get(token) ?? 0) > Date.now()) return true;
    return check(token).then((verdict) => {
      if (!verdict.ok) return false;
      if (genuineUntilMs.size >= MAX_TOKENS) genuineUntilMs.clear();
      genuineUntilMs.set(token, verdict.expiresAtMs);
      return true;
    });
  };
}
