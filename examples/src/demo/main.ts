// The main job, end to end: one fault, three transports, one typed error.
import { colorsFor } from './colors.ts';
import { EXPECTED } from './expected.ts';
import { playAll } from './play.ts';
import { openStage } from './stage.ts';
import { differences, render } from './table.ts';
import { isGood, playBurst, renderBurst } from './throttling.ts';

async function main(): Promise<number> {
  const colors = colorsFor(process.stdout, process.env);
  const stage = await openStage();
  try {
    const rows = await playAll(stage);
    console.log(render(rows, colors));
    const wrong = rows.flatMap((row) => differences(row).map((text) => `${row.key}: ${text}`));
    for (const text of wrong) console.log(colors.red(text));
    const scripted = rows.filter(({ expected }) => 'scripted' in expected);
    for (const { key, expected } of scripted)
      console.log(colors.dim(`* ${key} is scripted here: ${expected.scripted}`));
    const burst = await playBurst();
    console.log(`\n${renderBurst(burst, colors)}`);
    const all = wrong.length === 0 && rows.length === Object.keys(EXPECTED).length && isGood(burst);
    console.log(all ? colors.green(`\nall ${rows.length} rows as documented`) : colors.red('\nnot as documented'));
    return all ? 0 : 1;
  } finally {
    await stage.close();
  }
}

process.exitCode = await main();
