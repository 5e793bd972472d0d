// `npm run build -- --cli FILE`: one file, in a folder where nothing else is.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { buildProgram } from '../../scripts/build-bundle.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

it('the command line in one file wraps a key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyswitch-cli-'));
  try {
    await buildProgram('cli', join(folder, 'keyswitch.mjs'));
    copyFileSync(fixture('byok/exchange-key.json'), join(folder, 'kek.json'));
    copyFileSync(fixture('keys/rsa-3072-1.pem'), join(folder, 'key.pem'));
    const line = 'keyswitch.mjs byok wrap --kek kek.json --key key.pem --out mine.byok --json';
    const answer = execFileSync(process.execPath, line.split(' '), { cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(answer)).toMatchObject({ file: 'mine.byok', keyBits: 3072 });
    expect(readFileSync(join(folder, 'mine.byok'), 'utf8')).toContain('CKM_RSA_AES_KEY_WRAP');
    expect(readdirSync(folder).sort()).toEqual(['kek.json', 'key.pem', 'keyswitch.mjs', 'mine.byok']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
