// docs/failures.md against the code: every code once, with the kind, owner and message that the catalogue gives it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failure, FAILURE_CODES } from '../../shared/failures.ts';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/failures.md', ROOT), 'utf8');

const sections = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const body = section.split(/^## /m)[0] ?? '';
    return {
      code: /^`([a-z-]+)`/.exec(body)?.[1] ?? '',
      kind: /^Kind: ([a-z]+) · Owner: ([a-z-]+)$/m.exec(body)?.[1],
      owner: /^Kind: ([a-z]+) · Owner: ([a-z-]+)$/m.exec(body)?.[2],
      message: /^> (.+)$/m.exec(body)?.[1],
      recognised: /\*\*Recognised by:\*\* \S/.test(body),
      remedy: /\*\*What to do:\*\* \S/.test(body),
      isReserved: body.includes('_Not reached yet'),
    };
  });

/** Everything that may make a failure of the world's answers; the domain only says what each code means. */
const sources = ['shared', 'functions']
  .flatMap((folder) =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(name, ROOT), 'utf8'))
  .join('\n');

describe('docs/audit.md', () => {
  it('lists the failures that are recorded as security events', () => {
    const row = /^\| `security\.row-forged[^|]*/m.exec(readFileSync(new URL('docs/audit.md', ROOT), 'utf8'))?.[0] ?? '';
    const listed = [...row.matchAll(/`(?:security)?\.([a-z-]+)`/g)].map(([, code]) => code);
    expect(listed.toSorted()).toEqual(FAILURE_CODES.filter((code) => failure(code).isTampering).toSorted());
  });
});

describe('docs/failures.md', () => {
  it('lists every code once, and no other', () => {
    expect(sections.map(({ code }) => code).toSorted()).toEqual([...FAILURE_CODES].toSorted());
  });

  it.each(sections)('says of $code what the code says', ({ code, kind, owner, message, recognised, remedy }) => {
    const known = FAILURE_CODES.find((candidate) => candidate === code)!;
    const found = failure(known);
    expect({ kind, owner, message }).toEqual({ kind: found.kind, owner: found.owner, message: found.message });
    expect([recognised, remedy]).toEqual([true, true]);
  });

  it.each(sections.filter(({ isReserved }) => isReserved))(
    'may call $code reserved, since nothing leads to it',
    ({ code }) => {
      expect(sources).not.toMatch(new RegExp(`failure\\(\\s*'${code}'`));
    },
  );
});
