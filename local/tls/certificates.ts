// A certificate authority made at start, and leaf certificates for the real names the emulators answer for.
// Everything lives in memory and in the caller's hands; nothing here writes a file or changes what Node trusts.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509';

/** A leaf certificate and its private key, as `tls.createServer` takes them. */
export interface TlsIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

interface CertificateAuthority {
  /** What a client must trust: for `tls.setDefaultCACertificates` or `NODE_EXTRA_CA_CERTS`. */
  readonly caPem: string;
  /** One certificate for all the names; `*.` in front of a name stands for exactly one label. */
  issue(hostNames: readonly string[]): Promise<TlsIdentity>;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LIFETIME_DAYS = 30;
const AUTHORITY_NAME = 'CN=Keyswitch embedded run';
const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };

type KeyPair = Awaited<ReturnType<typeof newKeyPair>>;

const newKeyPair = () => crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);

export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const keys = await newKeyPair();
  const caPem = await certify({ name: AUTHORITY_NAME, keys }, keys, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
  ]);
  return { caPem, issue: (hostNames) => issueLeaf(keys, hostNames) };
}

async function issueLeaf(authority: KeyPair, hostNames: readonly string[]): Promise<TlsIdentity> {
  const [first] = hostNames;
  if (first === undefined) throw new Error('a certificate needs at least one host name');
  const keys = await newKeyPair();
  const certPem = await certify({ name: `CN=${first}`, keys }, authority, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(hostNames.map((value) => ({ type: 'dns', value }))),
    await AuthorityKeyIdentifierExtension.create(authority.publicKey),
  ]);
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certPem, keyPem: PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}

async function certify(
  subject: { readonly name: string; readonly keys: KeyPair },
  authority: KeyPair,
  extensions: Extension[],
): Promise<string> {
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    subject: subject.name,
    issuer: AUTHORITY_NAME,
    // An hour back, so that a client whose clock is a little behind is not refused.
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + LIFETIME_DAYS * DAY_MS),
    publicKey: subject.keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions,
  });
  return certificate.toString('pem');
}
