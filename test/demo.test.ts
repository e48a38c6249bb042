import { afterAll, expect, test } from 'vitest';
import { EXPECTED } from '../examples/src/demo/expected.ts';
import { playAll } from '../examples/src/demo/play.ts';
import { openStage } from '../examples/src/demo/stage.ts';
import { differences, render } from '../examples/src/demo/table.ts';
import { playBurst, renderBurst } from '../examples/src/demo/throttling.ts';

const stage = await openStage();
afterAll(() => stage.close());

const rows = await playAll(stage);
console.log(render(rows));

test.each(Object.keys(EXPECTED))('row %s comes out as the documentation means it', (key) => {
  const row = rows.find((one) => one.key === key);
  expect(row && differences(row)).toEqual([]);
});

test('a throttled burst ends with every operation done', async () => {
  const burst = await playBurst();
  console.log(renderBurst(burst));
  expect(burst.done).toBe(60);
  expect(burst.throttled).toBeGreaterThan(0);
});
