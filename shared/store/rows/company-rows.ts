// The row of a company. Pure.
import { readPolicy } from '../../domain/company-policy.ts';
import { readFeatures } from '../../domain/company-features.ts';
import type { Closing, Company } from '../../domain/keyring.ts';
import { COMPANY_CLOSING, notFound } from '../../domain/refusal.ts';
import { flag, json, need, needFormat, oneOf, text, type Cells } from './cells.ts';
import { present } from '../../domain/plain-object.ts';
import { sealedBytesOfFeatures, sealedBytesOfPolicy } from '../../domain/seal.ts';
import type { Row, SealedParts } from './row.ts';
import { COMPANY_ROW_KEY } from './row-keys.ts';
import { readSeal } from './seal-cell.ts';

const FORMAT = 1;

export function companyCells(row: Company): Cells {
  const { closing, closedAt, features, featuresSeal, policy, policySeal, ...company } = row;
  const { decided, worker, until } = closing ?? {};
  return {
    format: FORMAT,
    ...company,
    ...present({ features: features && JSON.stringify(features), policy: policy && JSON.stringify(policy) }),
    ...present({
      featuresSeal: featuresSeal && JSON.stringify(featuresSeal),
      policySeal: policySeal && JSON.stringify(policySeal),
    }),
    ...present({ closingDecided: decided, closingWorker: worker, closingUntil: until, closedAt }),
  };
}

export function readCompany(cells: Cells): Company {
  const row = COMPANY_ROW_KEY;
  needFormat(cells, row);
  const state = need(oneOf<Company['state']>(cells, 'state', ['active', 'closing', 'closed']), row, 'state');
  const closing: Closing = {
    decided: flag(cells, 'closingDecided') ?? false,
    worker: text(cells, 'closingWorker') ?? '',
    until: text(cells, 'closingUntil') ?? '',
  };
  return {
    companyId: need(text(cells, 'companyId'), row, 'companyId'),
    displayName: need(text(cells, 'displayName'), row, 'displayName'),
    defaultKeyring: need(text(cells, 'defaultKeyring'), row, 'defaultKeyring'),
    state,
    createdAt: need(text(cells, 'createdAt'), row, 'createdAt'),
    ...present({ policy: cells['policy'] === undefined ? undefined : readPolicy(json(cells, 'policy')) }),
    ...present({ features: cells['features'] === undefined ? undefined : readFeatures(json(cells, 'features')) }),
    ...present({
      featuresSeal: readSeal(json(cells, 'featuresSeal')),
      policySeal: readSeal(json(cells, 'policySeal')),
    }),
    ...present({ closing: state === 'closing' ? closing : undefined, closedAt: text(cells, 'closedAt') }),
  };
}

export interface CompanyPlace {
  readonly companyId: string;
}

/** `writtenBy` is the call that made it. */
type WrittenCompany = Company & { readonly writtenBy?: string };

/** Also closed ones. */
export const everyCompanyRow: Row<CompanyPlace, WrittenCompany, Company> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: () => COMPANY_ROW_KEY,
  cells: companyCells,
  read: readCompany,
  missing: ({ companyId }) => notFound('company', companyId),
  closedTo: ({ state }) => (state === 'active' ? undefined : COMPANY_CLOSING),
};

/** A closed company reads as absent: its id is never used again (invariant A14). What is sealed in its row is asked for no more. */
export const companyRow: Row<CompanyPlace, WrittenCompany, Company> = {
  ...everyCompanyRow,
  isGone: ({ state }) => state === 'closed',
  sealed: (company, { companyId }) => (company.state === 'closed' ? undefined : sealedTerms(companyId, company)),
};

/** Undefined for a row of which neither seal can be read. */
function sealedTerms(companyId: string, company: Company): SealedParts<WrittenCompany> | undefined {
  const { features, featuresSeal, policy, policySeal } = company;
  const parts = [
    { cell: 'featuresSeal', bytes: sealedBytesOfFeatures(companyId, features), seal: featuresSeal },
    { cell: 'policySeal', bytes: sealedBytesOfPolicy(companyId, policy), seal: policySeal },
  ].flatMap(({ seal, ...part }) => (seal ? [{ ...part, seal }] : []));
  if (parts.length === 0) return undefined;
  return {
    parts,
    with: (seals) => ({
      ...company,
      ...Object.fromEntries(parts.map(({ cell, seal }, at) => [cell, seals[at] ?? seal])),
    }),
    cells: parts.map(({ cell }) => cell),
  };
}
