import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const source = join(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/*
 * The emulator must not grade the catalogue by itself: its spellings are its own, so it may use
 * nothing of the other packages.
 */
test('no file of the emulator imports another package of ours', () => {
  expect(files.length).toBeGreaterThan(30);
  for (const file of files) {
    const text = readFileSync(join(source, file), 'utf8');
    const imports = [...text.matchAll(/(?:from|import|require)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
      (match) => match[1] ?? '',
    );
    const foreign = imports.filter((name) => name.startsWith('@faultmap/') || /(^|\/)\.\.\/\.\.\/\.\./.test(name));
    expect(foreign, file).toEqual([]);
  }
  const { dependencies } = JSON.parse(readFileSync(join(source, '../package.json'), 'utf8'));
  expect(Object.keys(dependencies).filter((name) => name.startsWith('@faultmap/'))).toEqual([]);
});
