// What the description says of the API as a whole. Text only.

export const INTRODUCTION = `Customer-managed keys for software vendors.

Bearer tokens of Entra ID, version 2.0 access tokens, carry one of four app roles; \`x-roles\` of an operation lists those that it takes. A program
gets one by the client-credentials grant (see the security scheme), a managed identity for the same scope; DefaultAzureCredential does both. It
lasts about an hour: get it again when it has expired. A company that a caller may not know of is answered 404 like one that does not exist.

Requests are JSON in UTF-8 of at most 1 MiB, not compressed, or forms of at most 16 KiB where a browser sends them; unknown fields are errors and
named, and so is a member that comes twice, or an If-Match or Idempotency-Key where none is described. A collection answers at most 1,000 items a page. Long work answers 202 with Operation-Location and Retry-After, and carries \`status\` for pollers, who are told by Retry-After
there too when to look again. Every answer carries x-ms-request-id, every error x-ms-error-code and the shape \`Error\`; a path that is not
described here is 404, a method 405 with Allow; HEAD is answered wherever GET is. Write paths as they are described, in their case and without a
slash at the end.

Answers grow: ignore a member that you do not know, and take a word that is not in an \`x-extensible-enum\` for one that came later. The value by which
alternatives are told apart (\`outcome\`, \`provider\`, \`reason\`) is a new one only where something new was asked for.

The codes of an operation's errors are in its \`x-error-codes\`, by status; what each means, in those of the whole document. A code is never given
another meaning; new ones may come. A \`kind\` says how a vault or Entra refused.

Ask again after an error if, and only if, it carries Retry-After: 408, 429, 503, and a 409 whose \`kind\` is \`propagating\`. Wait as long as it
says and a random while beside, so that callers do not come back at once; with the same Idempotency-Key where there is one.

What stands before Keyswitch, the Functions host or a proxy, may answer in a shape of its own, without x-ms-request-id: 500 to a header that is not
ASCII or a body of more than 4 MiB, when nothing was done; and 502, 503 or 504 while no process answers, when nobody knows what was done. Ask again then
with the same ids, the same conditions and the same Idempotency-Key.

Routes that answer text/html are pages for people in a browser; they need no token, and refuse with the same statuses and codes, on a page.`;
