// The value of a client secret as Entra makes it: 40 characters, `Q~` behind the first four. No GUID, which is the form of a secret's id.
import { randomBytes, randomInt } from 'node:crypto';

export function makeSecretValue(): string {
  const random = (length: number): string => randomBytes(length).toString('base64url').slice(0, length);
  return `${random(3)}${randomInt(10)}Q~${random(34)}`;
}
