// What Azure refuses and Azurite, as it comes, takes or answers in a way that nobody can read: a row that would fail in Azure must fail
// here. https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model

type Properties = Readonly<Record<string, unknown>>;

/** The parts of Azurite that matter here. */
export interface LimitedModules {
  readonly TableHandler: { prototype: { checkProperties: (context: unknown, properties: Properties) => void } };
  readonly BatchSerialization: { prototype: { serializeGeneralRequestError: (...of: unknown[]) => string } };
  readonly StorageError: new (
    status: number,
    code: string,
    message: string,
    requestId: string,
    more: undefined,
    context: unknown,
  ) => Error;
}

const SYSTEM_NAMES = ['PartitionKey', 'RowKey', 'Timestamp'];
const MAX_PROPERTIES = 252;
const MAX_ENTITY_BYTES = 1024 * 1024;

export function refuseAsAzure({ TableHandler, BatchSerialization, StorageError }: LimitedModules): void {
  const check = TableHandler.prototype.checkProperties;
  TableHandler.prototype.checkProperties = function (context, properties) {
    const names = Object.keys(properties).filter((name) => !name.includes('odata.') && !SYSTEM_NAMES.includes(name));
    const refuse = (code: string, message: string): never => {
      throw new StorageError(400, code, message, '', undefined, context);
    };
    if (names.length > MAX_PROPERTIES) refuse('TooManyProperties', 'The entity contains more properties than allowed.');
    if (entityBytes(properties, names) > MAX_ENTITY_BYTES)
      refuse('EntityTooLarge', 'The entity is larger than the maximum allowed size (1MB).');
    check.call(this, context, properties);
  };
  // As it comes, an error of a whole batch has a line before its status that no reader of HTTP takes.
  const serialize = BatchSerialization.prototype.serializeGeneralRequestError;
  BatchSerialization.prototype.serializeGeneralRequestError = function (...of) {
    return serialize.apply(this, of).replace(/^changesetresponse\S*\r\n/, '');
  };
}

/** As Azure counts: four bytes, the keys, and for each property eight bytes, its name and its value; texts in UTF-16. */
function entityBytes(properties: Properties, names: readonly string[]): number {
  const keys = ['PartitionKey', 'RowKey'].map((name) => properties[name]);
  let bytes = keys.reduce((sum: number, key) => sum + (typeof key === 'string' ? 2 * key.length : 0), 4);
  for (const name of names)
    bytes += 8 + 2 * name.length + valueBytes(properties[name], properties[`${name}@odata.type`]);
  return bytes;
}

function valueBytes(value: unknown, type: unknown): number {
  if (typeof value !== 'string') return typeof value === 'boolean' ? 1 : 8;
  return 4 + (type === 'Edm.Binary' ? Buffer.from(value, 'base64').length : 2 * value.length);
}

/** Whether a path names an entity by keys that hold what no key may: Azurite answers 500. */
export function hasImpossibleKey(url: string): boolean {
  const encoded = /^\/\w+\((PartitionKey=.*)\)$/.exec(url.split('?', 1)[0] ?? '')?.[1];
  if (encoded === undefined) return false;
  try {
    return /[/\\#?\u0000-\u001f\u007f-\u009f]/.test(decodeURIComponent(encoded));
  } catch {
    return true;
  }
}
