// The forms of ids, times and page parameters as callers see them. Pure.
import * as z from 'zod';
import { DATA_KEY_ID, RESOURCE_ID } from '../../../../shared/domain/ids.ts';

const resourceId = (description: string, example: string, id: string): z.ZodString => {
  const message = 'must be 1 to 64 of a-z, 0-9 and -, not beginning with -';
  return z
    .string()
    .regex(RESOURCE_ID, message)
    .meta({ description, example, param: { id: `${id}Param` } });
};

export const companyId = resourceId('Id of a company, chosen by the vendor.', 'contoso', 'CompanyId');
export const keyringId = resourceId('Id of a keyring of the company.', 'default', 'KeyringId');
export const connectionId = resourceId('Id of a connection of the company.', 'main', 'ConnectionId');
export const switchId = resourceId('Id of a switch of the keyring; a new one for each.', 'to-contoso', 'SwitchId');
export const webhookId = resourceId('Id of a webhook.', 'siem', 'WebhookId');
export const dataKeyId = z
  .string()
  .regex(DATA_KEY_ID, 'must be 1 to 128 of A-Z, a-z, 0-9, dot, underscore and -, beginning with a letter or digit')
  .meta({
    description: 'Id of a data key; never used again, also after a deletion. Upper and lower case are two.',
    example: 'backup-2026-11',
    param: { id: 'DataKeyIdParam' },
  });

export const companyPath = z.strictObject({ companyId });
export const keyringPath = companyPath.extend({ keyringId });
export const connectionPath = companyPath.extend({ connectionId });
export const switchPath = keyringPath.extend({ switchId });
export const quarantinePath = switchPath.extend({ keyId: dataKeyId });
export const webhookPath = companyPath.extend({ webhookId });
export const dataKeyPath = keyringPath.extend({ keyId: dataKeyId });

/** All examples tell one story, of the company Contoso at this time. */
export const EXAMPLE_TIME = '2026-11-30T08:00:00.000Z';

/** Without its pattern, which says at length what the format says. */
export const time = z.iso.datetime().meta({
  description: 'ISO 8601, UTC.',
  override: ({ jsonSchema }: { jsonSchema: { pattern?: string } }) => delete jsonSchema.pattern,
});
/** Described by its pattern alone: the format `uuid` is for those of RFC 9562, and not every id of a tenant is one. */
export const guid = z.guid().meta({
  override: ({ jsonSchema }: { jsonSchema: { format?: string } }) => delete jsonSchema.format,
});

export const count = z.number().int().min(0);

/** The action has no fields: an absent body and `{}` mean the same. */
export const noFields = z.strictObject({}).optional();
