// `pnpm bench [part of a name …]`: every benchmark, one after the other, each in its own process.
// They print ratios to a peer or a floor measured in the same run; none passes or fails by a time.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.bench.mjs'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();

let failed = 0;
for (const file of files) {
  console.log(`\n=== ${file}\n`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', `${here}/${file}`], { stdio: 'inherit' });
  if (status !== 0) failed++;
}
if (files.length === 0) console.log(`no benchmark matches ${wanted.join(', ')}`);
process.exitCode = failed ? 1 : 0;
