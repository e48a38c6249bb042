import { describe, expect, test } from 'vitest';
import { run } from './run.ts';

describe('faultmap explain, of what nothing is known of', () => {
  test.each(['999999', 'Blorbification', '255', 'amqp:nonsense'])('%s: says so, and no more', async (asked) => {
    const { exitCode, out } = await run(['explain', asked]);
    expect(out).toMatch(new RegExp(`^${asked} is not known\n`));
    expect(out).not.toMatch(/candidates|did you mean/);
    expect(exitCode).toBe(1);
  });

  test.each([
    ['DeviceNotOnlin', '404103 DeviceNotOnline'],
    ['devicenotonlien', '404103 DeviceNotOnline'],
    ['Device Not Onlin', '404103 DeviceNotOnline'],
    ['ThrotlingExcepton', '429001 ThrottlingException'],
    ['ECONREFUSED', 'ECONNREFUSED'],
  ])('%s: did you mean %s?', async (asked, meant) => {
    const { exitCode, out } = await run(['explain', ...asked.split(' ')]);
    expect(out).toMatch(new RegExp(`did you mean +${meant}`));
    expect(exitCode).toBe(1);
  });

  test('a number that only its family tells of: the listed ones a slip away', async () => {
    const { exitCode, out } = await run(['explain', '404130']);
    expect(out).toMatch(/did you mean +404103 DeviceNotOnline/);
    expect(exitCode).toBe(0);
  });

  test('a category: how to list its codes', async () => {
    expect((await run(['explain', 'Quota'])).out).toContain('faultmap codes --category quota');
  });

  test('as JSON', async () => {
    const { exitCode, out } = await run(['explain', '--json', 'DeviceNotOnlin']);
    expect(JSON.parse(out)).toMatchObject({
      category: 'unknown',
      didYouMean: [{ code: 404103, reason: 'DeviceNotOnline' }],
    });
    expect(exitCode).toBe(1);
  });

  test('words that are no name are an error without a cause, and no candidates are spoken of', async () => {
    const { exitCode, out } = await run(['explain', 'the cat sat on the mat']);
    expect(out).toContain('Give more of it');
    expect(out).not.toContain('candidates');
    expect(exitCode).toBe(1);
  });

  test('a secret asked about is masked', async () => {
    expect((await run(['explain', 'SharedAccessKey=PLANTEDKEY123='])).out).not.toContain('PLANTED');
  });
});

describe('faultmap explain, of a number of MQTT', () => {
  test.each([
    ['135', 'Not authorized', '135 (0x87) of MQTT 5'],
    ['0x87', 'Not authorized', '135 (0x87) of MQTT 5'],
    ['151', 'Quota exceeded', '151 (0x97) of MQTT 5'],
    ['CONNACK 5', 'Not authorized', '5 (0x05) of a CONNACK of MQTT 3.1.1'],
    ['MQTT reason code: 142', 'Session taken over', '142 (0x8E) of MQTT 5'],
    ['5', 'Not authorized', '5 (0x05) of a CONNACK of MQTT 3.1.1'],
    ['0x4', 'Bad user name or password', '4 (0x04) of a CONNACK of MQTT 3.1.1'],
  ])('%s', async (asked, reason, place) => {
    const { exitCode, out } = await run(['explain', asked]);
    expect(out).toMatch(new RegExp(`^${reason}\n`));
    expect(out).toContain(`reason code  ${place}`);
    expect(exitCode).toBe(0);
  });
});

test.each([
  ['404', 'azure-iot-dps'],
  ['429', 'azure-iot-dps, as TooManyRequests'],
])('%s is told to be in the other catalogue as well, not to be printed for itself', async (status, other) => {
  const { out } = await run(['explain', status]);
  expect(out).toMatch(new RegExp(`also in +${other}\n`));
  expect(out).not.toContain('printed for');
});
