// Which company a customer's vault key belongs to: for the vendor's operators, who alone can take it away again.
import * as z from 'zod';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok } from '../../../../shared/domain/result.ts';
import type { Recording } from '../../../../shared/store/record-event.ts';
import { getClaim, releaseClaim } from '../../../../shared/operations/connections/vault-claims.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { companyId, EXAMPLE_TIME, time } from '../../kernel/schemas/ids.ts';

const ONE = '/vault-claims/{host}/{keyName}';

const claimPath = z.strictObject({
  host: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$/, 'must be the host name of a vault'),
  keyName: z
    .string()
    .regex(/^(?:\*|[0-9A-Za-z-]{1,127})$/, 'must be 1 to 127 letters, digits and dashes, or * for a whole vault')
    .meta({ description: '`*`: a whole vault that the vendor hosts, which is for the keys of one company.' }),
});

const claimBody = z
  .strictObject({
    vaultHost: z.string(),
    keyName: z.string(),
    companyId,
    claimedAt: time,
    /** `releasing`: a release was begun, and has to be asked for once more unless the company consents anew. */
    state: z.enum(['held', 'releasing']),
  })
  .meta({
    id: 'VaultClaim',
    description:
      'The company whose consent, or whose connection to a key that the vendor hosts, claimed this vault key.',
    example: {
      vaultHost: 'contoso.vault.azure.net',
      keyName: 'keyswitch',
      companyId: 'contoso',
      claimedAt: EXAMPLE_TIME,
      state: 'held',
    },
  });

export const vaultClaimRoutes = [
  defineRoute({
    operationId: 'get-vault-claim',
    method: 'GET',
    path: ONE,
    tag: 'vault-claims',
    summary: 'Which company a vault key belongs to',
    description:
      'A token that is confined to companies is told of their claims alone; a claim is of a company as a whole, and no matter of one keyring.',
    roles: ['VendorAdmin'],
    reaches: 'own',
    pathSchema: claimPath,
    refuses: ['vault-claim-not-found'],
    answers: { 200: 'The claim.' },
    answerSchema: claimBody,
    run: async (deps: Recording, call) => {
      const claim = await getClaim(deps, { ...call.path, ...present({ only: call.companies }) });
      if (!claim.ok) return claim;
      const { host: vaultHost, keyName } = call.path;
      return ok({ status: 200, body: { vaultHost, keyName, ...claim.value.value } });
    },
  }),
  defineRoute({
    operationId: 'release-vault-claim',
    method: 'DELETE',
    path: ONE,
    tag: 'vault-claims',
    summary: 'Release a vault key, so that another company can claim it',
    description: 'Refused while a keyring or an unfinished switch depends on the key: 409 vault-claim-in-use.',
    roles: ['VendorAdmin'],
    reaches: 'own',
    pathSchema: claimPath,
    refuses: ['vault-claim-not-found', 'vault-claim-in-use'],
    fails: ['vault'],
    answers: { 204: 'Released.' },
    run: async (deps: Recording, call) => {
      const released = await releaseClaim(deps, { ...call.path, ...present({ only: call.companies }) }, call.actor);
      return released.ok ? ok({ status: 204 }) : released;
    },
  }),
] as const;
