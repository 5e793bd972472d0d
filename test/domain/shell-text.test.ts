import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { posixQuoted, powerShellQuoted, shown } from '../../shared/domain/shell-text.ts';

const HOSTILE = [
  "it's",
  "'; rm -rf / #",
  '$(id)',
  '`id`',
  '"',
  '\\',
  'a b',
  '*',
  '',
  '-n',
  "'",
  "''",
  '\u2018x\u2019',
  '~',
];

describe('a word of a command', () => {
  it('is for a POSIX shell what it was, whatever it holds', () => {
    const command = `for word in ${HOSTILE.map(posixQuoted).join(' ')}; do printf '%s\\n' "$word"; done`;
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' }).split('\n').slice(0, -1)).toEqual(HOSTILE);
  });

  it('stays bare in Azure’s own forms', () => {
    for (const text of [
      'contoso',
      'https://contoso.vault.azure.net/keys/k',
      'a=b',
      '11111111-0000-4000-8000-000000000001',
    ]) {
      expect(posixQuoted(text)).toBe(text);
    }
    for (const text of ['a b', 'a;b', 'b$', ';b']) expect(posixQuoted(text)).toBe(`'${text}'`);
  });

  it('is for PowerShell one literal, with each of its quotes written twice', () => {
    expect(powerShellQuoted('$(id) "x"')).toBe(`'$(id) "x"'`);
    expect(powerShellQuoted("it's \u2018a\u2019 \u201ab\u201b")).toBe(
      "'it''s \u2018\u2018a\u2019\u2019 \u201a\u201ab\u201b\u201b'",
    );
  });
});

describe('a text that is shown', () => {
  it('has no character that cannot be seen', () => {
    expect(shown('a\u001b[2J\u202eb\u200bc\r\nd\u2028e')).toBe('a [2J b c  d e');
  });

  it('is cut behind 400 characters, and says so', () => {
    expect(shown('x'.repeat(400))).toBe('x'.repeat(400));
    expect(shown('x'.repeat(401))).toBe(`${'x'.repeat(399)}…`);
  });
});
