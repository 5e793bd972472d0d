// Encrypts nothing: keeps what it was given, and the very bytes, so that a test can see what became of them.
import type { ExportRecipient } from '../../shared/domain/export-recipient.ts';
import type { ExportSealer } from '../../shared/domain/ports.ts';

interface Sealed {
  readonly jwe: string;
  /** As it was when it came. */
  readonly content: Buffer;
  /** The caller's own. */
  readonly given: Uint8Array;
  readonly recipient: ExportRecipient;
}

export class FakeExportSealer implements ExportSealer {
  readonly sealed: Sealed[] = [];

  seal(content: Uint8Array, recipient: ExportRecipient): Promise<string> {
    const jwe = `jwe-${this.sealed.length + 1}`;
    this.sealed.push({ jwe, content: Buffer.from(content), given: content, recipient });
    return Promise.resolve(jwe);
  }

  /** What is inside an answer. */
  contentOf(jwe: string): Buffer {
    const found = this.sealed.find((one) => one.jwe === jwe);
    if (!found) throw new Error(`nothing was sealed as ${jwe}`);
    return found.content;
  }
}
