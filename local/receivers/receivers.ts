// Receivers of webhooks of the embedded run, one for each name below `receivers.example.com`. Each takes what Standard Webhooks has a receiver take: once it
// was told its secret, nothing that the secret has not signed, and nothing older than five minutes.
import { Webhook } from 'standardwebhooks';
import { Control } from '../control/control.ts';
import { HANDSHAKE, listenHttp, type EmulatorCall, type EmulatorRequest } from '../http/emulator-http.ts';
import type { TlsIdentity } from '../tls/certificates.ts';

export const RECEIVERS = '*.receivers.example.com';
/** What a look-up shows: a public address, as the product connects to no other. */
export const RECEIVERS_ADDRESS = '20.50.60.70';

export interface ReceivedEvent {
  readonly host: string;
  readonly id: string;
  readonly type: string;
  /** When what it tells of was done. */
  readonly time: string;
  readonly data: {
    readonly companyId?: string;
    readonly sequence?: number;
    readonly state?: string;
    readonly code?: string;
  };
  readonly takenAt: Date;
}

export interface Receivers {
  readonly port: number;
  readonly control: Control;
  /** In the order in which they were taken. */
  readonly taken: readonly ReceivedEvent[];
  trust(host: string, secret: string): void;
  close(): Promise<void>;
}

export async function startReceivers({ tls }: { readonly tls: TlsIdentity }): Promise<Receivers> {
  const control = new Control([HANDSHAKE, 'receive']);
  const taken: ReceivedEvent[] = [];
  const secrets = new Map<string, Webhook>();
  const understand = (request: EmulatorRequest): EmulatorCall => ({
    operation: 'receive',
    target: request.host,
    act: () => {
      const refused = whyRefused(request, secrets.get(request.host));
      if (refused !== undefined) return { status: refused };
      const { id, type, time, data } = JSON.parse(request.body) as Omit<ReceivedEvent, 'host' | 'takenAt'>;
      taken.push({ host: request.host, id, type, time, data, takenAt: new Date() });
      return { status: 204 };
    },
  });
  const http = await listenHttp({ tls, control, understand });
  return {
    port: http.port,
    control,
    taken,
    trust: (host, secret) => void secrets.set(host, new Webhook(secret)),
    close: () => http.close(),
  };
}

/** The status of the refusal. */
function whyRefused({ method, headers, body }: EmulatorRequest, verifier: Webhook | undefined): number | undefined {
  if (method !== 'POST') return 405;
  if (headers['content-type'] !== 'application/cloudevents+json; charset=utf-8') return 415;
  try {
    verifier?.verify(body, headers as Record<string, string>);
    return undefined;
  } catch {
    return 401;
  }
}
