// A certificate authority made at start, and leaf certificates for the real names the emulators answer for.
// Everything lives in memory and in the caller's hands; nothing here writes a file or changes what Node trusts.
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { bits, explicit, implicit, integer, octets, oid, sequence, set, truth, utcTime, utf8 } from './der.ts';

/** A leaf certificate and its private key, as `tls.createServer` takes them. */
export interface TlsIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

interface CertificateAuthority {
  /** What a client must trust: for `tls.setDefaultCACertificates` or `NODE_EXTRA_CA_CERTS`. */
  readonly caPem: string;
  /** One certificate for all the names; `*.` in front of a name stands for exactly one label. */
  issue(hostNames: readonly string[]): TlsIdentity;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LIFETIME_DAYS = 30;

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

interface Subject {
  readonly name: Buffer;
  readonly publicKeyDer: Buffer;
  readonly keyId: Buffer;
}

export function createCertificateAuthority(): CertificateAuthority {
  const { subject: ca, privateKey } = newSubject('Keyswitch embedded run');
  const certificate = certify(ca, ca.name, privateKey, [
    extension(BASIC_CONSTRAINTS, sequence(truth()), 'critical'),
    // keyCertSign and cRLSign: bits 5 and 6, so one bit of the byte is unused.
    extension(KEY_USAGE, bits(Buffer.from([0b0000_0110]), 1), 'critical'),
    extension(SUBJECT_KEY_ID, octets(ca.keyId)),
  ]);
  return { caPem: certificate, issue: (hostNames) => issueLeaf(ca, privateKey, hostNames) };
}

function issueLeaf(ca: Subject, caKey: KeyObject, hostNames: readonly string[]): TlsIdentity {
  const [first] = hostNames;
  if (first === undefined) throw new Error('a certificate needs at least one host name');
  const { subject, privateKey } = newSubject(first);
  const names = hostNames.map((name) => implicit(2, Buffer.from(name, 'ascii')));
  const certPem = certify(subject, ca.name, caKey, [
    extension(BASIC_CONSTRAINTS, sequence(), 'critical'),
    // digitalSignature: bit 0.
    extension(KEY_USAGE, bits(Buffer.from([0b1000_0000]), 7), 'critical'),
    extension(EXTENDED_KEY_USAGE, sequence(oid(SERVER_AUTH))),
    extension(SUBJECT_ALT_NAME, sequence(...names)),
    extension(AUTHORITY_KEY_ID, sequence(implicit(0, ca.keyId))),
  ]);
  return { certPem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function newSubject(commonName: string): { subject: Subject; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyDer = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha256').update(publicKeyDer).digest().subarray(0, 20);
  const name = sequence(set(sequence(oid(COMMON_NAME), utf8(commonName))));
  return { subject: { name, publicKeyDer, keyId }, privateKey };
}

function certify(subject: Subject, issuer: Buffer, issuerKey: KeyObject, extensions: readonly Buffer[]): string {
  const now = Date.now();
  // An hour back, so that a client whose clock is a little behind is not refused.
  const validity = sequence(utcTime(new Date(now - HOUR_MS)), utcTime(new Date(now + LIFETIME_DAYS * DAY_MS)));
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    ECDSA_WITH_SHA256,
    issuer,
    validity,
    subject.name,
    subject.publicKeyDer,
    explicit(3, sequence(...extensions)),
  );
  const certificate = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign('sha256', toBeSigned, issuerKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return critical ? sequence(oid(id), truth(), octets(value)) : sequence(oid(id), octets(value));
}
