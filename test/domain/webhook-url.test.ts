import { describe, expect, it } from 'vitest';
import { parseWebhookUrl } from '../../shared/domain/webhook-url.ts';

const codeOf = (url: string, allowed?: readonly string[]): string => {
  const parsed = parseWebhookUrl(url, allowed);
  return parsed.ok ? parsed.value.href : parsed.error.code;
};

describe('the address of a webhook', () => {
  it.each([
    'https://hooks.contoso.com/keyswitch',
    'https://hooks.contoso.com:443/keyswitch',
    'https://HOOKS.contoso.com/a?b=c&d=%20',
    'https://bücher.example.com/',
    'https://a.b-c.xn--p1ai/',
  ])('may be %s', (url) => {
    expect(codeOf(url)).toBe(new URL(url).href);
  });

  it.each([
    // Not https.
    ['http://hooks.contoso.com/', 'webhook-not-https'],
    ['ftp://hooks.contoso.com/', 'webhook-not-https'],
    ['gopher://hooks.contoso.com/', 'webhook-not-https'],
    ['file:///etc/passwd', 'webhook-not-https'],
    ['javascript:alert(1)', 'webhook-not-https'],
    ['data:text/plain,hello', 'webhook-not-https'],
    ['wss://hooks.contoso.com/', 'webhook-not-https'],
    // IP addresses, in all notations.
    ['https://127.0.0.1/', 'webhook-host-not-public'],
    ['https://2130706433/', 'webhook-host-not-public'],
    ['https://0x7f000001/', 'webhook-host-not-public'],
    ['https://0x7f.1/', 'webhook-host-not-public'],
    ['https://0177.0.0.1/', 'webhook-host-not-public'],
    ['https://127.1/', 'webhook-host-not-public'],
    ['https://0/', 'webhook-host-not-public'],
    ['https://①②⑦.0.0.1/', 'webhook-host-not-public'],
    ['https://127。0。0。1/', 'webhook-host-not-public'],
    ['https://127.0.0.1./', 'webhook-host-not-public'],
    ['https://169.254.169.254/metadata/instance', 'webhook-host-not-public'],
    ['https://168.63.129.16/', 'webhook-host-not-public'],
    ['https://20.50.60.70/', 'webhook-host-not-public'],
    ['https://[::1]/', 'webhook-host-not-public'],
    ['https://[::]/', 'webhook-host-not-public'],
    ['https://[::ffff:127.0.0.1]/', 'webhook-host-not-public'],
    ['https://[::127.0.0.1]/', 'webhook-host-not-public'],
    ['https://[64:ff9b::7f00:1]/', 'webhook-host-not-public'],
    ['https://[fd00:ec2::254]/', 'webhook-host-not-public'],
    ['https://[2001:4860:4860::8888]/', 'webhook-host-not-public'],
    // Names of this machine and of private networks.
    ['https://localhost/', 'webhook-host-not-public'],
    ['https://localhost./', 'webhook-host-not-public'],
    ['https://LOCALHOST/', 'webhook-host-not-public'],
    ['https://loc%61lhost/', 'webhook-host-not-public'],
    ['https://app.localhost/', 'webhook-host-not-public'],
    ['https://metadata.google.internal/', 'webhook-host-not-public'],
    ['https://printer.local/', 'webhook-host-not-public'],
    ['https://router.lan/', 'webhook-host-not-public'],
    ['https://1.0.0.127.in-addr.arpa/', 'webhook-host-not-public'],
    ['https://intranet/', 'webhook-host-not-public'],
    ['https://hooks.contoso.com./', 'webhook-host-not-public'],
    ['https://under_score.contoso.com/', 'webhook-host-not-public'],
    // Ports.
    ['https://hooks.contoso.com:8443/', 'webhook-port-not-allowed'],
    ['https://hooks.contoso.com:22/', 'webhook-port-not-allowed'],
    ['https://hooks.contoso.com:80/', 'webhook-port-not-allowed'],
    // Two readers would see two addresses.
    ['https://user:password@hooks.contoso.com/', 'webhook-url-invalid'],
    ['https://hooks.contoso.com@127.0.0.1/', 'webhook-url-invalid'],
    ['https://@hooks.contoso.com/', 'webhook-url-invalid'],
    ['https://:@hooks.contoso.com/', 'webhook-url-invalid'],
    ['https://hooks.contoso.com\\@127.0.0.1/', 'webhook-url-invalid'],
    ['https:\\\\127.0.0.1/', 'webhook-url-invalid'],
    ['https://hooks.contoso.com/#@127.0.0.1/', 'webhook-url-invalid'],
    ['https://hooks.contoso.com/#', 'webhook-url-invalid'],
    ['https://127.0.0.1#.contoso.com/', 'webhook-url-invalid'],
    [' https://hooks.contoso.com/', 'webhook-url-invalid'],
    ['https://hooks.conto\tso.com/', 'webhook-url-invalid'],
    ['https://hooks.contoso.com/\r\nHost: evil', 'webhook-url-invalid'],
    ['https://hooks.contoso.com\u0000.evil.com/', 'webhook-url-invalid'],
    ['https://', 'webhook-url-invalid'],
    ['https://256.256.256.256/', 'webhook-url-invalid'],
    ['https://[::1/', 'webhook-url-invalid'],
    ['//hooks.contoso.com/', 'webhook-url-invalid'],
    ['', 'webhook-url-invalid'],
    [`https://hooks.contoso.com/${'a'.repeat(2_000)}`, 'webhook-url-invalid'],
  ])('is not %j: %s', (url, code) => {
    expect(codeOf(url)).toBe(code);
  });

  it('leads to the domains that the vendor allows, if any are named', () => {
    const allowed = ['contoso.com'];
    expect(codeOf('https://contoso.com/', allowed)).toBe('https://contoso.com/');
    expect(codeOf('https://hooks.contoso.com/', allowed)).toBe('https://hooks.contoso.com/');
    expect(codeOf('https://notcontoso.com/', allowed)).toBe('webhook-host-not-allowed');
    expect(codeOf('https://contoso.com.evil.com/', allowed)).toBe('webhook-host-not-allowed');
  });
});
