// Every attack that the suite tries, once: its name for ever, and the risk of the OWASP API Security Top 10 of 2023 that it belongs
// to. docs/security.md lists the same; test/docs/security.test.ts holds the two and the tests against each other.
import { test } from 'vitest';

/** What an end-to-end test shows already is not tried a second time. */
interface ShownElsewhere {
  readonly file: string;
  readonly title: string;
}

interface Attack {
  readonly name: string;
  readonly risk: `API${number}`;
  readonly shown?: ShownElsewhere;
}

const TAMPER = 'test/end-to-end/tamper.test.ts';
const MESSAGES = 'test/end-to-end/messages.test.ts';
const MISBEHAVES = 'test/end-to-end/vault-misbehaves.test.ts';

export const ATTACKS = {
  A01: { risk: 'API1', name: "read another company's record by its id" },
  A02: { risk: 'API1', name: 'read or make a keyring in another company' },
  A03: { risk: 'API1', name: "read, change, test or delete another company's connection" },
  A04: { risk: 'API1', name: "read or steer another company's switch" },
  A05: { risk: 'API1', name: "read, delete or unwrap another company's data key" },
  A06: { risk: 'API1', name: "read another company's events" },
  A07: { risk: 'API1', name: "name another company's keyring, connection, switch or data key below one's own company" },
  A08: { risk: 'API1', name: 'spell the company so that the check and the store read it differently' },
  A09: { risk: 'API1', name: "go on with the page token of another company's list" },
  A10: { risk: 'API1', name: "switch one's own keyring to another company's connection" },
  A11: {
    risk: 'API1',
    name: "copy another company's data key, or relabel one's own, in the tables",
    shown: {
      file: TAMPER,
      title: 'copied and relabelled data keys do not open, and a switch names them and moves the rest',
    },
  },
  A12: { risk: 'API1', name: "copy another company's wrapped company key into one's own row" },
  A13: { risk: 'API1', name: "copy another company's connection into one's own partition" },
  A14: {
    risk: 'API1',
    name: "wrap a company key of one's own with the public key of the customer",
    shown: {
      file: TAMPER,
      title: "a company key wrapped anew with the customer's public key is refused by name; no vault is asked",
    },
  },
  A15: {
    risk: 'API1',
    name: "point a stored connection at a vault of one's own",
    shown: { file: TAMPER, title: 'a connection pointed at another vault is refused by name; neither vault is asked' },
  },
  A16: { risk: 'API1', name: "name another company's switch in a message of the queue" },
  A17: {
    risk: 'API1',
    name: 'order work on other shards or generations by a message of the queue',
    shown: { file: MESSAGES, title: 'a message about another company, shard or generation moves nothing' },
  },
  A18: { risk: 'API2', name: 'send no token, or one in another place than the header' },
  A19: { risk: 'API2', name: 'send a token without a signature (algorithm none)' },
  A20: { risk: 'API2', name: 'sign a token with the public key as an HMAC secret' },
  A21: { risk: 'API2', name: "sign a token with a key of one's own under the key id of Entra" },
  A22: { risk: 'API2', name: 'bring the key along in the header of the token' },
  A23: { risk: 'API2', name: 'change the claims of a genuine token' },
  A24: { risk: 'API2', name: 'send a token for another audience' },
  A25: { risk: 'API2', name: 'send a token for the connector app' },
  A26: { risk: 'API2', name: 'send a token of another issuer' },
  A27: { risk: 'API2', name: 'send a token that has expired' },
  A28: { risk: 'API2', name: 'send a token from the future' },
  A29: { risk: 'API2', name: 'send a token without an end' },
  A30: { risk: 'API2', name: 'send a version 1 token' },
  A31: { risk: 'API2', name: 'send an ID token as an access token' },
  A32: { risk: 'API2', name: 'send a token without a tenant, or of another one' },
  A33: { risk: 'API2', name: "send the token that the app's own identity shows to others" },
  A34: { risk: 'API3', name: 'set fields of a company that only the product sets' },
  A35: { risk: 'API3', name: 'set provider or key version of a keyring' },
  A36: { risk: 'API3', name: 'set seal, consent or app of a connection' },
  A37: { risk: 'API3', name: 'set state or generation of a switch' },
  A38: { risk: 'API3', name: 'import a data key as wrapped bytes or under a key version' },
  A39: { risk: 'API3', name: 'reach the prototype of an object by a field' },
  A40: { risk: 'API3', name: 'get the plaintext of a data key as vendor admin' },
  A41: { risk: 'API3', name: 'get the plaintext of a data key as auditor' },
  A42: { risk: 'API3', name: "read the vault's own words as company admin" },
  A43: { risk: 'API4', name: 'send a body beyond the limit, announced or not' },
  A44: { risk: 'API4', name: 'ask for more keys in a call than the limit' },
  A45: { risk: 'API4', name: 'ask for a page beyond the limit' },
  A46: { risk: 'API4', name: 'have a vault tested without end' },
  A47: { risk: 'API4', name: 'nest JSON until the parser falls' },
  A48: { risk: 'API4', name: 'flood the record of events with refusals' },
  A49: {
    risk: 'API4',
    name: 'send messages that nobody can read',
    shown: {
      file: MESSAGES,
      title: 'malformed, foreign, huge and binary messages are recorded once each, completed, and end nothing',
    },
  },
  A50: { risk: 'API5', name: "use the vendor's functions as company admin" },
  A51: { risk: 'API5', name: "use the backend's functions as company admin" },
  A52: { risk: 'API5', name: "use an admin's functions as the backend" },
  A53: { risk: 'API5', name: 'change anything as auditor' },
  A54: { risk: 'API5', name: 'name somebody with more rights in Keyswitch-Actor' },
  A55: { risk: 'API5', name: 'bring an identity in the headers of a proxy' },
  A56: { risk: 'API5', name: 'spell a role almost right' },
  A57: { risk: 'API5', name: 'carry the right to one company over to another by a second role' },
  A58: { risk: 'API6', name: 'start two switches of a keyring at once' },
  A59: { risk: 'API6', name: 'start a switch a second time with another target' },
  A60: { risk: 'API6', name: 'cancel, pause, resume or turn a switch that has ended' },
  A61: { risk: 'API6', name: 'use an Idempotency-Key again for something else' },
  A62: { risk: 'API6', name: 'make a data key under an id that was used before' },
  A63: { risk: 'API6', name: 'point a connection in use elsewhere, or delete it' },
  A64: { risk: 'API6', name: 'delete a company that has data keys' },
  A65: { risk: 'API7', name: 'name an IP address as the vault' },
  A66: { risk: 'API7', name: 'hide the host of the vault behind a user name' },
  A67: { risk: 'API7', name: 'name a port of the vault' },
  A68: { risk: 'API7', name: 'name a host that only looks like a vault' },
  A69: { risk: 'API7', name: 'name another scheme than https' },
  A70: { risk: 'API7', name: 'write the address so that parsers disagree' },
  A71: { risk: 'API7', name: "name the vendor's own vault" },
  A72: { risk: 'API7', name: 'put a path into the name of the key' },
  A73: {
    risk: 'API7',
    name: 'redirect from a vault to somewhere else',
    shown: { file: MISBEHAVES, title: 'asked to unwrap, it answers with $name: $code' },
  },
  A74: {
    risk: 'API7',
    name: 'lure a token of another tenant by the challenge of a vault',
    shown: { file: MISBEHAVES, title: 'a challenge that names another tenant gets no token' },
  },
  A75: { risk: 'API7', name: 'name another authority in the challenge of a vault' },
  A76: { risk: 'API7', name: 'ask in the challenge of a vault for a token for something else' },
  A77: { risk: 'API8', name: 'call from the page of another origin' },
  A78: { risk: 'API8', name: 'send JSON as a form of a page could' },
  A79: { risk: 'API8', name: 'forge the host that links are made of' },
  A80: { risk: 'API8', name: 'forge the address that is recorded' },
  A81: { risk: 'API8', name: 'learn of the inside from an error' },
  A82: { risk: 'API8', name: 'have an answer kept or sniffed by a browser' },
  A83: { risk: 'API8', name: 'give a parameter twice' },
  A84: { risk: 'API9', name: 'find a function that is not described' },
  A85: { risk: 'API9', name: 'use a method that is not described, or name one in a header' },
  A86: { risk: 'API9', name: 'ask for another version of the API' },
  A87: {
    risk: 'API10',
    name: 'answer as a vault with too much, too slowly, or with garbage',
    shown: { file: MISBEHAVES, title: 'asked for its key, it answers with $name: $code' },
  },
  A88: {
    risk: 'API10',
    name: 'answer as a vault about another key',
    shown: { file: MISBEHAVES, title: 'an answer about another key is a security event, and no revocation' },
  },
  A89: {
    risk: 'API10',
    name: 'answer as a vault with another value than was wrapped',
    shown: { file: MISBEHAVES, title: 'a value that is not what was wrapped never becomes a key' },
  },
  A90: { risk: 'API10', name: "write into our log or answers through a vault's error" },
  A91: { risk: 'API2', name: "have a chain of events of one's own signed by the seal key" },
  A92: { risk: 'API8', name: 'give a member of a body twice' },
  A93: { risk: 'API4', name: 'have the store asked by whoever probes, or learn from a probe what is away' },
  A94: { risk: 'API10', name: "have data keys made under a company key of one's own choice, by a vault's answer" },
  A95: { risk: 'API1', name: 'reach beyond the companies and keyrings that a token is confined to' },
  A96: { risk: 'API2', name: 'be taken for unconfined by a confinement that cannot be read' },
  A97: { risk: 'API5', name: 'do what concerns all companies by a token that is confined to some' },
  A98: {
    risk: 'API7',
    name: "have events sent to this machine, its network or Azure's metadata by some spelling of an address",
    shown: { file: 'test/domain/webhook-url.test.ts', title: 'is not %j: %s' },
  },
  A99: {
    risk: 'API7',
    name: 'have the name of a webhook lead inside after it was accepted',
    shown: { file: 'test/adapters/webhook-sender.test.ts', title: 'goes nowhere if its name leads to %s' },
  },
  A100: {
    risk: 'API7',
    name: 'redirect from a webhook to somewhere else',
    shown: { file: 'test/adapters/webhook-sender.test.ts', title: 'answered at %s: %s, after one call' },
  },
  A101: {
    risk: 'API10',
    name: 'answer as a receiver without end, or not at all',
    shown: { file: 'test/adapters/webhook-sender.test.ts', title: 'is given up at %s when the time is up' },
  },
  A102: {
    risk: 'API1',
    name: "be told of another company's events, or touch its webhooks",
    shown: {
      file: 'test/functions/http/webhooks.test.ts',
      title: 'of another company is neither made, read, tested, rotated nor deleted',
    },
  },
  A103: {
    risk: 'API1',
    name: 'have events sent elsewhere, or changed ones sent, by the tables',
    shown: {
      file: 'test/operations/notifications/deliveries.test.ts',
      title: '%s: nothing is sent, and it is a security event',
    },
  },
  A104: {
    risk: 'API1',
    name: 'go on unwrapping over a denial, or invent one, by the tables',
    shown: {
      file: 'test/operations/keys/denial-rows-tampered.test.ts',
      title: 'a denial whose row %s',
    },
  },
  A105: {
    risk: 'API1',
    name: "have a token got by another company's client secret, by copying its row or naming its app",
    shown: {
      file: 'test/adapters/client-secret.test.ts',
      title: 'is none where the row that holds the secret was copied to another company, connection, tenant or app',
    },
  },
  A106: {
    risk: 'API3',
    name: 'find a client secret in a dump of the tables, in the record, in the log or in an answer',
    shown: {
      file: 'test/operations/connections/connection-secrets.test.ts',
      title: 'is stored encrypted: the tables, the record and the log hold it in no form',
    },
  },
  A107: {
    risk: 'API6',
    name: "claim another company's vault key by an app of one's own",
    shown: {
      file: 'test/operations/connections/connection-secrets.test.ts',
      title: 'that opens the key of another company claims nothing',
    },
  },
  A108: {
    risk: 'API7',
    name: "learn names of the vendor's private network from what is said of a webhook",
    shown: {
      file: 'test/adapters/webhook-sender.test.ts',
      title: 'that finds no public address (%s) tells the same of it whatever DNS says; the log tells the vendor',
    },
  },
  A109: {
    risk: 'API1',
    name: "have another company's event sent again to one's webhook, by the tables",
    shown: {
      file: 'test/operations/notifications/redeliver.test.ts',
      title: '%s: nothing of it is sent, it is a security event, and the others are',
    },
  },
} as const satisfies Readonly<Record<string, Attack>>;

export type AttackId = keyof typeof ATTACKS;

/** Whoever has no test elsewhere has one here, under its name. */
export function attack(id: AttackId, attempt: () => Promise<void>): void {
  test(`${id} ${ATTACKS[id].name}`, attempt);
}
