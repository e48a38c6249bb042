// `pnpm check`: lint, types, and the packages as a user gets them.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name) => join(root, 'node_modules/.bin', name);
const packages = readdirSync(join(root, 'packages'));
const work = mkdtempSync(join(tmpdir(), 'faultmap-check-'));
let failed = 0;

step('format and lint (Biome)', () => run(bin('biome'), ['check', '--error-on-warnings', '.']));
step('build (tsc -b)', () => run(bin('tsc'), ['-b']));
step('types of the tests, with their @ts-expect-error', () => run(bin('tsc'), ['-p', 'test/tsconfig.json']));

const tarballs = new Map();
step('pack', () => {
  for (const name of packages) {
    run(process.execPath, [pnpm(), 'pack', '--pack-destination', work], join(root, 'packages', name));
    const { version } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
    tarballs.set(name, join(work, `faultmap-${name}-${version}.tgz`));
  }
});
for (const [name, tarball] of tarballs) {
  step(`publint @faultmap/${name}`, () => run(bin('publint'), ['run', tarball, '--strict']));
  // ESM only, by choice: Node's require() of ESM serves CommonJS users (shown by the consumer below).
  step(`are the types wrong? @faultmap/${name}`, () =>
    run(bin('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']),
  );
}

step('a consumer installs the tarballs', () => install());
for (const compiler of ['typescript', 'typescript-6', 'typescript-5.9']) {
  const tsc = join(
    root,
    'node_modules',
    compiler,
    JSON.parse(readFileSync(join(root, 'node_modules', compiler, 'package.json'), 'utf8')).bin.tsc,
  );
  for (const project of ['nodenext', 'bundler']) {
    step(`a consumer compiles with ${compiler}, ${project}`, () =>
      run(process.execPath, [tsc, '-p', `tsconfig.${project}.json`], join(work, 'consumer')),
    );
  }
}
step('a consumer runs as ESM', () => run(process.execPath, ['run.mjs'], join(work, 'consumer')));
step('a consumer runs as CommonJS', () => run(process.execPath, ['run.cjs'], join(work, 'consumer')));

rmSync(work, { recursive: true, force: true });
console.log(failed ? `\n${failed} failed` : '\nall passed');
process.exitCode = failed ? 1 : 0;

function step(name, action) {
  const start = performance.now();
  try {
    action();
    console.log(`ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n${String(error.stdout ?? '')}${String(error.stderr ?? error.stack ?? error)}`);
  }
}

function run(file, args, cwd = root) {
  return execFileSync(file, args, { cwd, stdio: 'pipe', encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** The pnpm that runs this script, so that no second one is needed. */
function pnpm() {
  const path = process.env.npm_execpath;
  if (!path || !/pnpm/.test(path)) throw new Error('run this as a pnpm script: npx -y pnpm@10.34.8 check');
  return path;
}

/** Unpacked tarballs beside the clients this workspace has: as an install would lay them. */
function install() {
  const consumer = join(work, 'consumer');
  const modules = join(consumer, 'node_modules');
  cpSync(fileURLToPath(new URL('consumer', import.meta.url)), consumer, { recursive: true });
  mkdirSync(join(modules, '@faultmap'), { recursive: true });
  for (const [name, tarball] of tarballs) {
    const to = join(modules, '@faultmap', name);
    mkdirSync(to);
    run('tar', ['-xzf', tarball, '-C', to, '--strip-components=1']);
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(to, 'package.json'), 'utf8'));
    for (const [dependency, range] of Object.entries({ ...dependencies, ...peerDependencies })) {
      if (range.startsWith('workspace:')) throw new Error(`@faultmap/${name}: ${dependency} was packed as ${range}`);
      if (!dependency.startsWith('@faultmap/')) link(dependency, join(root, 'packages', name), modules);
    }
  }
  link('@types/node', root, modules);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n');
}

function link(dependency, from, modules) {
  const to = join(modules, dependency);
  mkdirSync(dirname(to), { recursive: true });
  const paths = createRequire(join(from, 'package.json')).resolve.paths(dependency);
  const found = paths.map((path) => join(path, dependency)).find((path) => exists(join(path, 'package.json')));
  if (!found) throw new Error(`${dependency} is not installed for ${from}`);
  try {
    symlinkSync(found, to);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

function exists(path) {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
