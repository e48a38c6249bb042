import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dps, iotHub } from '@faultmap/core';
import { describe, expect, test } from 'vitest';
import { run } from './run.ts';

const EVERY = iotHub.rows.length + dps.rows.length;

describe('faultmap codes', () => {
  test('lists every code of both catalogues', async () => {
    const rows = JSON.parse((await run(['codes', '--json'])).out);
    expect(rows).toHaveLength(EVERY);
    expect(rows.find((row: { code: number }) => row.code === 404103)).toMatchObject({
      catalogue: 'azure-iot-hub',
      reason: 'DeviceNotOnline',
      transient: false,
      summary: expect.stringContaining('not connected'),
    });
  });

  test('filters by transport, category, catalogue and whether it is repeated', async () => {
    const ask = async (...argv: string[]) =>
      JSON.parse((await run(['codes', '--json', ...argv])).out) as {
        code: number;
        category: string;
        transports: string[];
        transient: boolean;
        catalogue: string;
      }[];
    for (const row of await ask('--category', 'throttled')) expect(row.category).toBe('throttled');
    for (const row of await ask('--transport', 'MQTT')) expect(row.transports).toContain('mqtt');
    for (const row of await ask('--retried')) expect(row.transient).toBe(true);
    for (const row of await ask('--catalogue', 'dps')) expect(row.catalogue).toBe('azure-iot-dps');
    expect((await ask('--category', 'quota', '--transport', 'http')).map((row) => row.code)).toEqual([
      403002, 403004, 403006, 403800,
    ]);
  });

  test('a table for people', async () => {
    const { out } = await run(['codes', '--category', 'offline']);
    expect(out).toMatch(/404104 │ DeviceConnectionClosedRemotely/);
    expect(out).toContain('2 codes');
    for (const line of (await run(['codes'])).out.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  test('a Markdown table has as many cells in every row', async () => {
    const lines = (await run(['codes', '--markdown'])).out.trimEnd().split('\n');
    const cells = lines.map((line) => line.replace(/\\\|/g, '').split('|').length);
    expect(new Set(cells).size).toBe(1);
    expect(lines).toHaveLength(2 + EVERY);
  });

  test('the page of all codes is what the catalogue says', async () => {
    const path = fileURLToPath(new URL('../../core/CODES.md', import.meta.url));
    const head = /^[\s\S]*?(?=\| code)/.exec(readFileSync(path, 'utf8'))?.[0];
    // `vitest run -u` writes the table anew.
    await expect(head + (await run(['codes', '--markdown'])).out).toMatchFileSnapshot(path);
  });

  test('nothing that fits is exit code 1', async () => {
    expect(await run(['codes', '--category', 'network', '--json'])).toMatchObject({ exitCode: 1, out: '[]\n' });
  });
});
