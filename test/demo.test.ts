import { afterAll, expect, test } from 'vitest';
import { colorsFor } from '../examples/src/demo/colors.ts';
import { EXPECTED } from '../examples/src/demo/expected.ts';
import { playAll } from '../examples/src/demo/play.ts';
import { openStage } from '../examples/src/demo/stage.ts';
import { differences, render } from '../examples/src/demo/table.ts';
import { playBurst, renderBurst } from '../examples/src/demo/throttling.ts';

const stage = await openStage();
afterAll(() => stage.close());

const rows = await playAll(stage);
const plain = colorsFor({}, {});
console.log(render(rows, plain));

test.each(Object.keys(EXPECTED))('row %s comes out as the documentation means it', (key) => {
  const row = rows.find((one) => one.key === key);
  expect(row && differences(row)).toEqual([]);
});

test('the table fits 80 columns, and shows all of a row', () => {
  const text = render(rows, plain);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  for (const { key, outcome } of rows) {
    expect(text).toContain(key);
    if ('error' in outcome) for (const one of [outcome.error.category, outcome.said]) expect(text).toContain(one);
  }
});

test.each([
  ['on a terminal', { isTTY: true }, {}, true],
  ['into a pipe', {}, {}, false],
  ['into a pipe of a CI', {}, { CI: 'true' }, false],
  ['into a pipe, asked for', {}, { FORCE_COLOR: '1' }, true],
  ['with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
  ['on a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
])('colours: %s', (_where, stream, env, expected) => {
  expect(render(rows, colorsFor(stream, env)).includes('\u001b')).toBe(expected);
});

test('a throttled burst ends with every operation done', async () => {
  const burst = await playBurst();
  console.log(renderBurst(burst, plain));
  for (const line of renderBurst(burst, plain).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(burst.done).toBe(60);
  expect(burst.throttled).toBeGreaterThan(0);
});
