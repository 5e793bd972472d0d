// Properties of what is encoded, encrypted and sent: each codec is the other's inverse, and a stranger's bytes never throw.
import { constants, createSecretKey, privateDecrypt, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorIn, transactionOutcome } from '../../shared/adapters/table-transaction.ts';
import { entityJson, storedRow } from '../../shared/adapters/table-cells.ts';
import { commitmentTo, openCompanyKey, wrapCompanyKey } from '../../shared/domain/company-key.ts';
import { unwrapDataKey, wrapDataKey, type DataKeyContext } from '../../shared/domain/data-key-blob.ts';
import { DATA_KEY_ID, isResourceId, RESOURCE_ID } from '../../shared/domain/ids.ts';
import { lengthPrefixed, lengthPrefixedWithin } from '../../shared/domain/length-prefixed.ts';
import { parseWorkMessage, type WorkMessage } from '../../shared/domain/work-message.ts';
import type { RowWrite } from '../../shared/store/tables.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { hostileJson, hostileText } from './hostile.ts';

const RUNS = { numRuns: 300 };
const resourceId = fc.stringMatching(RESOURCE_ID);
const wellFormed = fc.string({ unit: 'binary', maxLength: 20 });

describe('length-prefixed encoding', () => {
  const texts = fc.array(fc.oneof(wellFormed, fc.constantFrom('', '\0\0\0\0', '\0\0\0\u0001a')), { maxLength: 6 });

  test('is another for every other list of texts', () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(lengthPrefixed(a).equals(lengthPrefixed(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      RUNS,
    );
  });

  test('can be taken apart again, and is the same in space that is used again', () => {
    const space = Buffer.alloc(64, 0xff);
    fc.assert(
      fc.property(texts, (list) => {
        const encoded = lengthPrefixed(list);
        expect(lengthPrefixedWithin(space, list).equals(encoded)).toBe(true);
        expect(decoded(encoded)).toEqual(list);
      }),
      RUNS,
    );
  });
});

function decoded(encoded: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < encoded.length;) {
    const end = at + 4 + encoded.readUInt32BE(at);
    texts.push(encoded.toString('utf8', at + 4, end));
    at = end;
  }
  return texts;
}

describe('data-key blobs', () => {
  const companyKey = createSecretKey(randomBytes(32));
  const context: fc.Arbitrary<DataKeyContext> = fc.record({
    companyId: resourceId,
    keyringId: resourceId,
    keyId: fc.stringMatching(DATA_KEY_ID),
    companyKeyVersion: fc.nat(),
  });
  const sealed = fc
    .record({
      context,
      nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
      plaintext: fc.uint8Array({ minLength: 16, maxLength: 64 }),
    })
    .map((input) => ({ ...input, blob: Uint8Array.from(wrapDataKey({ companyKey, ...input })) }));

  test('open at their place to what went in', () => {
    fc.assert(
      fc.property(sealed, ({ context: place, blob, plaintext }) => {
        const opened = unwrapDataKey({ companyKey, context: place, blob });
        expect(opened === undefined ? undefined : Uint8Array.from(opened)).toEqual(plaintext);
      }),
      RUNS,
    );
  });

  test('do not open with any byte changed, cut short or grown', () => {
    fc.assert(
      fc.property(sealed, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ context: place, blob }, position, flip) => {
        const at = position % blob.length;
        const changed = blob.map((byte, index) => (index === at ? byte ^ flip : byte));
        const others = [changed, blob.subarray(0, at), Buffer.concat([blob, Buffer.of(flip)])];
        for (const other of others) expect(unwrapDataKey({ companyKey, context: place, blob: other })).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('do not open at another place, under another label or under another key', () => {
    const other = createSecretKey(randomBytes(32));
    fc.assert(
      fc.property(sealed, context, ({ context: place, blob }, elsewhere) => {
        for (const name of ['companyId', 'keyringId', 'keyId', 'companyKeyVersion'] as const) {
          if (place[name] === elsewhere[name]) continue;
          const moved = { ...place, [name]: elsewhere[name] };
          expect(unwrapDataKey({ companyKey, context: moved, blob })).toBeUndefined();
        }
        if (place.companyId !== place.keyringId) {
          const swapped = { ...place, companyId: place.keyringId, keyringId: place.companyId };
          expect(unwrapDataKey({ companyKey, context: swapped, blob })).toBeUndefined();
        }
        expect(unwrapDataKey({ companyKey: other, context: place, blob })).toBeUndefined();
      }),
      RUNS,
    );
  });

  test('of arbitrary bytes do not open and do not throw', () => {
    const bytes = fc
      .tuple(fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 120 }))
      .map(([format, rest]) => Uint8Array.from([format, ...rest]));
    fc.assert(
      fc.property(context, bytes, (place, blob) => {
        expect(unwrapDataKey({ companyKey, context: place, blob })).toBeUndefined();
      }),
      RUNS,
    );
  });
});

describe('wrapped company keys', () => {
  const { privateKey, publicKey } = keyFixture('rsa-2048-1');
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const context = fc.record({ companyId: resourceId, keyringId: resourceId, version: fc.nat() });
  const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

  test('come back from their wrap, for their own place only', () => {
    fc.assert(
      fc.property(context, context, key32, (place, elsewhere, companyKey) => {
        const wrapped = wrapCompanyKey({ n, e, companyKey });
        const commitment = commitmentTo(companyKey, place);
        const padding = constants.RSA_PKCS1_OAEP_PADDING;
        const payload = privateDecrypt({ key: privateKey, padding, oaepHash: 'sha256' }, wrapped);
        if (JSON.stringify(elsewhere) !== JSON.stringify(place))
          expect(openCompanyKey(Buffer.from(payload), { ...elsewhere, commitment })).toBeUndefined();
        const opened = openCompanyKey(payload, { ...place, commitment });
        expect(opened && Uint8Array.from(opened.export())).toEqual(companyKey);
        expect(payload.every((byte) => byte === 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('of arbitrary bytes do not open, do not throw, and are overwritten', () => {
    const payloads = fc.oneof(fc.uint8Array({ maxLength: 100 }), key32);
    fc.assert(
      fc.property(context, payloads, fc.string(), (place, payload, commitment) => {
        expect(openCompanyKey(payload, { ...place, commitment })).toBeUndefined();
        expect(payload.every((byte) => byte === 0)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('work messages', () => {
  const shards = fc.tuple(fc.nat(1024), fc.nat(1024));
  const common = { format: fc.constant(1), attempt: fc.nat(1_000_000), companyId: resourceId, keyringId: resourceId };
  const valid: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
    fc.record({ ...common, switchId: resourceId, kind: fc.constant('advance') }),
    fc
      .record({ ...common, switchId: resourceId, kind: fc.constant('reprotect'), generation: fc.nat(), shards })
      .map(({ shards: [a, b], ...rest }) => ({ ...rest, firstShard: Math.min(a, b), lastShard: Math.max(a, b) })),
  );

  test('are accepted as they are sent', () => {
    fc.assert(
      fc.property(valid, (message) => {
        const parsed = parseWorkMessage(JSON.parse(JSON.stringify(message)));
        expect(parsed).toEqual({ ok: true, value: message });
      }),
      RUNS,
    );
  });

  test('are refused with a field too many, with one missing, and as any other JSON', () => {
    fc.assert(
      fc.property(valid, fc.nat(), hostileText, hostileJson, (message, position, name, value) => {
        const names = Object.keys(message);
        const gone = names[position % names.length];
        expect(parseWorkMessage(Object.fromEntries(Object.entries(message).filter(([n]) => n !== gone))).ok).toBe(
          false,
        );
        if (!names.includes(name))
          expect(parseWorkMessage(Object.fromEntries([...Object.entries(message), [name, value]])).ok).toBe(false);
        expect(parseWorkMessage(value).ok).toBe(false);
      }),
      RUNS,
    );
  });

  test('with a hostile field are refused, or are what is documented and nothing else', () => {
    fc.assert(
      fc.property(valid, fc.nat(), hostileJson, (message, position, value) => {
        const names = Object.keys(message);
        const parsed = parseWorkMessage({ ...message, [names[position % names.length] ?? '']: value });
        if (parsed.ok) expectDocumented(parsed.value);
        else expect(parsed.error).toMatch(/^[a-zA-Z ]{1,60}$/);
      }),
      RUNS,
    );
  });
});

function expectDocumented(message: WorkMessage): void {
  expect(message.format).toBe(1);
  expect([message.companyId, message.keyringId, message.switchId].every(isResourceId)).toBe(true);
  const counts = message.kind === 'advance' ? [] : [message.generation, message.firstShard, message.lastShard];
  for (const number of [message.attempt, ...counts]) {
    expect(Number.isSafeInteger(number)).toBe(true);
    expect(number).toBeGreaterThanOrEqual(0);
  }
}

describe('batch answers of Table Storage', () => {
  const etag = 'W/"datetime\'2026\'"';
  const writes: readonly RowWrite[] = [
    { kind: 'insert', rowKey: 'a', cells: {} },
    { kind: 'merge', rowKey: 'b', cells: {}, etag },
    { kind: 'delete', rowKey: 'c', etag },
  ];
  const fragment = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 204 No Content\r\n',
      'HTTP/1.1 412 Precondition Failed\r\n',
      'HTTP/1.1 ',
      `ETag: ${etag}\r\n`,
      'ETag: \r\n',
      '--changeset_1\r\n',
      '{"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"1:The"}}}',
      '{"odata.error":{"code":"__proto__","message":{"value":"__proto__:"}}}',
      '{"odata.error":{"code":"EntityAlreadyExists","message":null}}',
      '{"odata.error":null}',
      '{',
      '}',
    ),
    hostileText,
    hostileJson.map((error) => JSON.stringify({ 'odata.error': error })),
  );
  const text = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(''));

  test('never throw, and mean success only with an answer to every write', () => {
    fc.assert(
      fc.property(
        text,
        fc.constantFrom(100, 200, 202, 204, 400, 404, 409, 412, 413, 429, 500, 503, 999),
        (body, status) => {
          const contentType = 'multipart/mixed; boundary=batch_1';
          const outcome = transactionOutcome(writes, { status, contentType, text: body });
          if (outcome.outcome === 'committed') {
            expect(outcome.etags.map((one) => one !== '')).toEqual([true, true, false]);
            expect(status).toBeLessThan(300);
          }
          if (outcome.outcome === 'conflict') expect([0, 1, 2]).toContain(outcome.index);
        },
      ),
      RUNS,
    );
  });

  test('have an error that is two texts, whatever they are', () => {
    fc.assert(
      fc.property(text, (body) => {
        const { code, message } = errorIn(body);
        expect([typeof code, typeof message]).toEqual(['string', 'string']);
      }),
      RUNS,
    );
  });

  test('of nothing but opening braces are read in no time', () => {
    expect(errorIn('{'.repeat(1_000_000))).toEqual({ code: '', message: '' });
  });
});

describe('table cells', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
    fc.boolean(),
    fc.uint8Array({ maxLength: 200 }),
  );
  const cells = fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,30}$/), cell, { maxKeys: 8 });

  test('come back as they were written', () => {
    fc.assert(
      fc.property(hostileText, cells, (rowKey, written) => {
        const entity = JSON.parse(entityJson('partition', rowKey, written)) as object;
        const read = storedRow({ ...entity, 'odata.etag': 'W/"1"' }, 'partition');
        expect(read?.rowKey).toBe(rowKey);
        expect(plain(read?.cells ?? {})).toEqual(plain(written));
      }),
      RUNS,
    );
  });

  test('of an arbitrary entity have a type that we write, or it is none', () => {
    fc.assert(
      fc.property(hostileJson, fc.dictionary(fc.string(), hostileJson, { maxKeys: 8 }), (value, entity) => {
        storedRow(value, 'partition');
        const read = storedRow({ ...entity, PartitionKey: 'p', RowKey: 'r', 'odata.etag': '"e"' }, 'p');
        for (const found of Object.values(read?.cells ?? {}))
          expect(found instanceof Uint8Array || ['string', 'number', 'boolean'].includes(typeof found)).toBe(true);
      }),
      RUNS,
    );
  });
});

/** Bytes as hex: a Buffer and a Uint8Array of the same bytes are the same cell. */
const plain = (cells: object): object =>
  Object.fromEntries(
    Object.entries(cells).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value,
    ]),
  );
