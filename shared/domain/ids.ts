// The forms of ids that callers choose. Pure. Ids go into table keys unchanged, so none may hold `|`, `/`, `#`, `?` or a control character (Table
// Storage forbids these in keys), nor begin with `!`, which marks our own rows.
export const RESOURCE_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
export const DATA_KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** For services that ignore case. */
export const GUID_IN_ANY_CASE = /^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Stands in for a company's id where there is no company. No company can have this id. */
export const NO_COMPANY = '_system';

/** Ids of companies, keyrings, connections and switches: 1 to 64 of `a-z`, `0-9`, `-`, not beginning with `-`. */
export const isResourceId = (text: string): boolean => RESOURCE_ID.test(text);

/** Ids of data keys: 1 to 128 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `-`, beginning with a letter or digit. Case matters. */
export const isDataKeyId = (text: string): boolean => DATA_KEY_ID.test(text);

/** A GUID in lower case. */
export const isGuid = (text: string): boolean => GUID.test(text);
