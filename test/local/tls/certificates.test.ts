import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '../../../local/tls/certificates.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function serve(hostNames: readonly string[]): Promise<{ port: number; caPem: string }> {
  const authority = await createCertificateAuthority();
  const { certPem, keyPem } = await authority.issue(hostNames);
  server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, caPem: authority.caPem };
}

async function handshake(port: number, servername: string, ca?: string): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername, ...(ca === undefined ? {} : { ca }) });
  try {
    await once(socket, 'secureConnect');
    return 'trusted';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'no code';
  } finally {
    socket.destroy();
  }
}

describe('certificates of the embedded run', () => {
  it('are trusted for the names they were issued for, and for one label in place of a star', async () => {
    const { port, caPem } = await serve(['login.microsoftonline.com', '*.vault.azure.net']);
    expect(await handshake(port, 'login.microsoftonline.com', caPem)).toBe('trusted');
    expect(await handshake(port, 'acme.vault.azure.net', caPem)).toBe('trusted');
  });

  it('are refused for another name, and for two labels in place of a star', async () => {
    const { port, caPem } = await serve(['*.vault.azure.net']);
    expect(await handshake(port, 'login.windows.net', caPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake(port, 'a.b.vault.azure.net', caPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('are refused by whoever does not trust the authority', async () => {
    const { port } = await serve(['login.windows.net']);
    expect(await handshake(port, 'login.windows.net')).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('cannot be asked for without a name', async () => {
    const authority = await createCertificateAuthority();
    await expect(authority.issue([])).rejects.toThrow('at least one host name');
  });
});
