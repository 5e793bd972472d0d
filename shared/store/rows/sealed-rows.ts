// Rows that decide where a wrapped key or a token is sent: company keys and connections. Pure. A row that cannot be read is undefined and
// treated as forged, like one whose seal does not verify.
import type { CompanyKeyContext, CompanyKeyRow, Seal, Wrap } from '../../domain/company-key.ts';
import type { Connection, ConnectionPlace, Consent, Move } from '../../domain/connection.ts';
import type { KeyringPlace } from '../../domain/keyring.ts';
import type { ProviderRef } from '../../domain/provider.ts';
import { notFound } from '../../domain/refusal.ts';
import { failureCode } from './failure-cell.ts';
import { versionsToNote } from './key-version-rows.ts';
import {
  sealedBytesOfConnection,
  sealedBytesOfConsent,
  sealedBytesOfMove,
  sealedBytesOfWrap,
} from '../../domain/seal.ts';
import type { Row, Rows, SealedPart, SealedParts } from './row.ts';
import { clientSecretsCell, readClientSecrets, secretsOfConnection } from './client-secret-cell.ts';
import { companyKeyRowKey, connectionRowKey } from './row-keys.ts';
import { readSeal } from './seal-cell.ts';
import { count, flag, json, optionalText, text, type Cells, textsOf } from './cells.ts';
import { isRecord, present } from '../../domain/plain-object.ts';

const FORMAT = 1;

type OfCompany = Pick<CompanyKeyContext, 'companyId'>;

/** The context comes from the row's place, not from its cells, so a copied row fails its seal. */
export const companyKeyCells = (row: CompanyKeyRow): Cells => ({
  format: FORMAT,
  version: row.version,
  wraps: JSON.stringify(row.wraps),
  createdAt: row.createdAt,
});

export function readCompanyKey(
  cells: Cells,
  place: { readonly companyId: string; readonly keyringId: string; readonly version: number },
): CompanyKeyRow | undefined {
  const wraps = json(cells, 'wraps');
  const createdAt = text(cells, 'createdAt');
  if (!Array.isArray(wraps) || createdAt === undefined) return undefined;
  if (count(cells, 'format') !== FORMAT) return undefined;
  const read: Wrap[] = [];
  for (const value of wraps as unknown[]) {
    const wrap = readWrap(value);
    if (!wrap) return undefined;
    read.push(wrap);
  }
  return { ...place, wraps: read, createdAt };
}

function readWrap(value: unknown): Wrap | undefined {
  if (!isRecord(value)) return undefined;
  const { host, keyName, tenantId, keyId, algorithm, ciphertext, commitment, guard } = value;
  const ref = readRef(value['ref']);
  const seal = readSeal(value['seal']);
  if (!ref || !seal || typeof algorithm !== 'string') return undefined;
  if (typeof host !== 'string' || typeof keyName !== 'string' || typeof tenantId !== 'string') return undefined;
  if (typeof keyId !== 'string' || typeof ciphertext !== 'string' || typeof commitment !== 'string') return undefined;
  if (guard !== undefined && guard !== true) return undefined;
  return { ref, host, keyName, tenantId, keyId, algorithm, ciphertext, commitment, ...present({ guard }), seal };
}

function readRef(value: unknown): ProviderRef | undefined {
  if (!isRecord(value)) return undefined;
  const { provider, connectionId } = value;
  if (typeof provider !== 'string') return undefined;
  if (connectionId === undefined) return { provider };
  return typeof connectionId === 'string' ? { provider, connectionId } : undefined;
}

export const companyKeyRow: Row<CompanyKeyContext, CompanyKeyRow, CompanyKeyRow | undefined> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ keyringId, version }) => companyKeyRowKey(keyringId, version),
  cells: companyKeyCells,
  read: readCompanyKey,
  demands: versionsToNote,
  sealed: (row, place) =>
    row && {
      parts: row.wraps.map((wrap) => ({ bytes: sealedBytesOfWrap(place, wrap), seal: wrap.seal })),
      with: (seals) => ({
        ...row,
        wraps: row.wraps.map((wrap, index) => ({ ...wrap, seal: seals[index] ?? wrap.seal })),
      }),
      cells: ['wraps'],
    },
};

/** In the order of versions. */
export const companyKeysOf: Rows<KeyringPlace, CompanyKeyContext, CompanyKeyRow, CompanyKeyRow | undefined> = {
  row: companyKeyRow,
  partition: ({ companyId }) => companyId,
  prefix: ({ keyringId }) => `companykey|${keyringId}|`,
  place: ({ companyId, keyringId }, version) => ({ companyId, keyringId, version: Number(version) }),
};

/** Of all its keyrings. */
export const companyKeysOfCompany: Rows<OfCompany, CompanyKeyContext, CompanyKeyRow, CompanyKeyRow | undefined> = {
  row: companyKeyRow,
  partition: ({ companyId }) => companyId,
  prefix: () => 'companykey|',
  place: ({ companyId }, rest) => {
    const [keyringId = '', version] = rest.split('|');
    return { companyId, keyringId, version: Number(version) };
  },
};

export const connectionCells = (connection: Connection): Cells => ({
  format: FORMAT,
  connectionId: connection.connectionId,
  provider: connection.provider,
  host: connection.host,
  keyName: connection.keyName,
  tenantId: connection.tenantId ?? '',
  movedFrom: connection.movedFrom === undefined ? '' : JSON.stringify(connection.movedFrom),
  credentialKind: connection.credential.kind,
  clientId: connection.credential.clientId,
  secrets: clientSecretsCell(connection.credential.secrets),
  seal: JSON.stringify(connection.seal),
  usedBy: JSON.stringify(connection.usedBy),
  createdAt: connection.createdAt,
  roleAssignedAt: connection.roleAssignedAt ?? '',
  consent: consentCell(connection.consent),
  move: consentCell(connection.move),
  keySeen: connection.keySeen,
  testFailed: connection.testFailed ?? '',
  expiryTold: connection.expiryTold ?? '',
});

/** Also the consent of a move. */
export const consentCell = (consent: Consent | undefined): string =>
  consent === undefined ? '' : JSON.stringify(consent);

function readConsent(value: unknown): Consent | undefined {
  if (!isRecord(value)) return undefined;
  const { grantedAt, adminId } = value;
  const seal = readSeal(value['seal']);
  if (typeof grantedAt !== 'string' || typeof adminId !== 'string' || !seal) return undefined;
  return { grantedAt, adminId, seal };
}

function readMove(value: unknown): Move | undefined {
  const consent = readConsent(value);
  const tenantId = isRecord(value) ? value['tenantId'] : undefined;
  return consent && typeof tenantId === 'string' ? { ...consent, tenantId } : undefined;
}

export function readConnection(cells: Cells, place: ConnectionPlace): Connection | undefined {
  const { connectionId } = place;
  const provider = text(cells, 'provider');
  const host = text(cells, 'host');
  const keyName = text(cells, 'keyName');
  const kind = text(cells, 'credentialKind');
  const clientId = text(cells, 'clientId');
  const seal = readSeal(json(cells, 'seal'));
  const usedBy = json(cells, 'usedBy');
  const createdAt = text(cells, 'createdAt');
  if (provider === undefined || host === undefined || keyName === undefined) return undefined;
  if (kind === undefined || clientId === undefined || !seal) return undefined;
  if (!Array.isArray(usedBy) || createdAt === undefined || count(cells, 'format') !== FORMAT) return undefined;
  const consent = readConsent(json(cells, 'consent'));
  // We write no consent that cannot be read.
  if (!consent && optionalText(cells, 'consent') !== undefined) return undefined;
  const move = readMove(json(cells, 'move'));
  if (!move && optionalText(cells, 'move') !== undefined) return undefined;
  const secrets = readClientSecrets(json(cells, 'secrets'), place);
  if (!secrets && optionalText(cells, 'secrets') !== undefined) return undefined;
  const movedFrom = textsOf(json(cells, 'movedFrom'));
  if (!movedFrom && optionalText(cells, 'movedFrom') !== undefined) return undefined;
  return {
    connectionId,
    provider,
    host,
    keyName,
    credential: { kind, clientId, ...present({ secrets }) },
    seal,
    usedBy: usedBy.filter((user): user is string => typeof user === 'string'),
    createdAt,
    keySeen: flag(cells, 'keySeen') ?? false,
    ...present({
      tenantId: optionalText(cells, 'tenantId'),
      movedFrom,
      roleAssignedAt: optionalText(cells, 'roleAssignedAt'),
      consent,
      move,
      testFailed: failureCode(cells, 'testFailed'),
      expiryTold: optionalText(cells, 'expiryTold'),
    }),
  };
}

export const connectionRow: Row<ConnectionPlace, Connection, Connection | undefined> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: ({ connectionId }) => connectionRowKey(connectionId),
  cells: connectionCells,
  read: readConnection,
  sealed: (held, { companyId }) => held && sealedConnection(companyId, held),
  secrets: (held) => held && secretsOfConnection(held),
  missing: ({ connectionId }) => notFound('connection', connectionId),
};

export const connectionsOf: Rows<OfCompany, ConnectionPlace, Connection, Connection | undefined> = {
  row: connectionRow,
  partition: ({ companyId }) => companyId,
  prefix: () => connectionRowKey(''),
  place: ({ companyId }, connectionId) => ({ companyId, connectionId }),
};

function sealedConnection(companyId: string, held: Connection): SealedParts<Connection> {
  const { consent, move } = held;
  const own = { bytes: sealedBytesOfConnection(companyId, held), seal: held.seal };
  const ofConsent = consent && { bytes: sealedBytesOfConsent(companyId, held, consent), seal: consent.seal };
  const ofMove = move && { bytes: sealedBytesOfMove(companyId, held, move), seal: move.seal };
  const parts = [own, ofConsent, ofMove].filter((part) => part !== undefined);
  return {
    parts,
    with: (seals) => {
      const sealOf = ({ seal }: Consent, part: SealedPart | undefined): Seal =>
        seals[parts.findIndex((one) => one === part)] ?? seal;
      return {
        ...held,
        seal: seals[0] ?? held.seal,
        ...present({
          consent: consent && { ...consent, seal: sealOf(consent, ofConsent) },
          move: move && { ...move, seal: sealOf(move, ofMove) },
        }),
      };
    },
    cells: ['seal', 'consent', 'move'],
  };
}
