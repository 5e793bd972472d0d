// What the vendor lets a company have, and what the company demands itself. Each is under a seal of its own, also where there is none: taken away by
// a writer of the tables, features would mean all and a policy nothing. The only way to either for what is decided by it.
import { lackOfFeature, type Feature } from '../../domain/company-features.ts';
import { NO_POLICY, type CompanyPolicy } from '../../domain/company-policy.ts';
import type { Seal } from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Company } from '../../domain/keyring.ts';
import type { Sealer } from '../../domain/ports.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfFeatures, sealedBytesOfPolicy } from '../../domain/seal.ts';
import type { Found } from '../../store/found.ts';
import { checkSeal, forged, type SealCheck } from './seals.ts';

type Features = readonly Feature[] | undefined;
type Signing = Pick<Sealer, 'sign'>;

/** Undefined: all of them. `row-forged` if Keyswitch did not write them so. */
export async function featuresOf(reading: SealCheck, company: Found<Company>): Promise<Result<Features, Failure>> {
  const { features, featuresSeal } = company.value;
  const bytes = sealedBytesOfFeatures(company.at.partitionKey, features);
  const checked = await check(reading, company, { bytes, seal: featuresSeal });
  return checked.ok ? ok(features) : checked;
}

/** `row-forged` if Keyswitch did not write it so. */
export async function policyOf(reading: SealCheck, company: Found<Company>): Promise<Result<CompanyPolicy, Failure>> {
  const { policy, policySeal } = company.value;
  const bytes = sealedBytesOfPolicy(company.at.partitionKey, policy);
  const checked = await check(reading, company, { bytes, seal: policySeal });
  return checked.ok ? ok(policy ?? NO_POLICY) : checked;
}

/** Undefined if the company has them all. Where nothing is needed, no seal is asked for. */
export async function lackOfFeatures(
  reading: SealCheck,
  company: Found<Company>,
  needed: readonly string[],
): Promise<Refusal | undefined> {
  if (needed.length === 0) return undefined;
  const features = await featuresOf(reading, company);
  return features.ok ? lackOfFeature(features.value, needed) : refusedBy(features.error);
}

/** One `sign`. */
export async function sealFeatures(
  { sealer }: { readonly sealer: Signing },
  companyId: string,
  features: Features,
): Promise<Result<Pick<Company, 'features' | 'featuresSeal'>, Refusal>> {
  const seal = await sealer.sign(sealedBytesOfFeatures(companyId, features));
  return seal.ok ? ok({ features, featuresSeal: seal.value }) : err(refusedBy(seal.error));
}

/** One `sign`. */
export async function sealPolicy(
  { sealer }: { readonly sealer: Signing },
  companyId: string,
  policy: CompanyPolicy | undefined,
): Promise<Result<Pick<Company, 'policy' | 'policySeal'>, Refusal>> {
  const seal = await sealer.sign(sealedBytesOfPolicy(companyId, policy));
  return seal.ok ? ok({ policy, policySeal: seal.value }) : err(refusedBy(seal.error));
}

/** invariant A16: a seal that is not there is forged too. The company is the one whose row was read, whatever the row says. */
async function check(
  reading: SealCheck,
  { at }: Found<Company>,
  { bytes, seal }: { readonly bytes: Uint8Array; readonly seal: Seal | undefined },
): Promise<Result<void, Failure>> {
  const row = { companyId: at.partitionKey, rowKey: at.rowKey };
  return seal ? checkSeal(reading, { ...row, bytes, seal }) : err(forged(reading.log, row));
}
