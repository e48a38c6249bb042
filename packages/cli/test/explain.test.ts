import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { main } from '@faultmap/cli';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Collected, run, streams } from './run.ts';

/** Direct method to an offline device, as the hub answers it (Azure/iotedge#98). */
const OFFLINE = JSON.stringify({
  Message: JSON.stringify({
    errorCode: 404103,
    trackingId: '0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d-G:11-TimeStamp:11/07/2018 09:22:57',
    message: 'Timed out waiting for device to connect.',
    info: { timeout: '00:01:00' },
    timestampUtc: '2018-11-07T09:22:57.1Z',
  }),
  ExceptionMessage: '',
});

async function fileWith(text: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'error.txt');
  await writeFile(path, text);
  return path;
}

describe('faultmap explain', () => {
  test.each([
    [['404103'], 'DeviceNotOnline'],
    [['devicenotonline'], '404103'],
    [['404103', 'DeviceNotOnline'], 'offline'],
    [['5000001'], 'ServerError'],
    [['500xxx'], 'server'],
    [['amqp:link:stolen'], 'conflict'],
    [['ECONNREFUSED'], 'Nothing listens'],
    [['"404103"'], 'DeviceNotOnline'],
  ])('a code or a name: %j', async (words, expected) => {
    const { exitCode, out, err } = await run(['explain', ...words]);
    expect(out).toContain(expected);
    expect(err).toBe('');
    expect(exitCode).toBe(0);
  });

  test('prints what happened, what to do, and whether it is repeated', async () => {
    expect((await run(['explain', '504101'])).out).toMatchInlineSnapshot(`
      "504101 GatewayTimeout
        category     timeout
        summary      The device did not answer a direct method in time; the method may
                     have run.
        fix          Repeat only what is idempotent, or find out first. Answer methods
                     at once and work later, or raise responseTimeoutInSeconds; the
                     client's own time-out must be longer than both of the call's
                     together.
        advice       backoff: repeat with backoff and jitter, if that is safe
        retried      yes
        executed     unknown: it may have taken effect
        HTTP status  504
        transports   http
        concerns     device
        catalogue    azure-iot-hub
        source       MicrosoftDocs/azure-docs
                     articles/iot-hub/troubleshoot-error-codes.md (2026-01-06); Azure
                     REST 'Common error codes' (2020-02-14); and 4 more
        docs         https://learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes#504101-gatewaytimeout-error
      "
    `);
  });

  test('the number that is printed for two rows shows both', async () => {
    expect((await run(['explain', '404104'])).out).toMatch(/printed for\s+404001 DeviceNotFound/);
  });

  test.each(['argument', 'standard input', '-', 'file', 'file as argument'])(
    'a raw error, given as %s',
    async (way) => {
      const path = await fileWith(OFFLINE);
      const argv = {
        argument: [OFFLINE],
        'standard input': [],
        '-': ['-'],
        file: ['--file', path],
        'file as argument': [path],
      }[way] as string[];
      const { exitCode, out } = await run(['explain', ...argv], OFFLINE);
      expect(out).toContain('404103 DeviceNotOnline');
      expect(out).toContain('0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d-G:11');
      expect(exitCode).toBe(0);
    },
  );

  test.each([
    ['UTF-8 with its mark', Buffer.from(`\ufeff${OFFLINE}`)],
    ['UTF-16, as PowerShell redirects', Buffer.from(`\ufeff${OFFLINE}\r\n`, 'utf16le')],
    ['UTF-16, the other way round', Buffer.from(`\ufeff${OFFLINE}\r\n`, 'utf16le').swap16()],
  ])('a file in %s', async (_encoding, bytes) => {
    const path = await fileWith(bytes);
    expect((await run(['explain', path])).out).toContain('404103 DeviceNotOnline');
    const lines = await fileWith(Buffer.from(`\ufeff{"transport":"log","input":{"text":"404103"}}\n`, 'utf16le'));
    expect((await run(['explain', '--jsonl', lines])).exitCode).toBe(0);
  });

  test('--json prints the error as it serialises', async () => {
    const { out } = await run(['explain', '--json', OFFLINE]);
    expect(JSON.parse(out)).toMatchObject({
      name: 'DeviceOfflineError',
      code: 404103,
      executed: 'no',
      transient: false,
    });
    expect(JSON.parse((await run(['explain', '--json', '429001'])).out)).toMatchObject({
      kind: 'code',
      category: 'throttled',
    });
  });

  test('an answer with status and body, and the record form of --jsonl', async () => {
    const answer = { status: 429, headers: { 'retry-after': '7' }, body: '' };
    expect((await run(['explain', JSON.stringify(answer)])).out).toContain('7000 ms');
    const record = { transport: 'mqtt', input: { kind: 'connack', protocolVersion: 4, returnCode: 5 } };
    expect((await run(['explain', JSON.stringify(record)])).out).toContain('unauthorized');
  });

  test('a short document is read as one, not as the number in it', async () => {
    expect((await run(['explain', '{"status":404,"body":"{\\"errorCode\\":404103}"}'])).out).toContain(
      'DeviceOfflineError',
    );
  });

  test('nothing known is said so, with exit code 1', async () => {
    const { exitCode, out } = await run(['explain', 'the cat sat on the mat']);
    expect(out).toContain('unknown');
    expect(exitCode).toBe(1);
  });

  test('a secret in the raw error is in no output', async () => {
    const raw = `Error: connect failed: HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=PLANTEDKEY123= SharedAccessSignature sr=h&sig=PLANTEDSIG%2F&se=1 password=PLANTEDPASS`;
    for (const argv of [
      ['explain', raw],
      ['explain', '--json', raw],
      ['explain', '--file', raw],
    ]) {
      const { out, err } = await run(argv);
      expect(out + err).not.toMatch(/PLANTED/);
    }
  });
});

describe('faultmap explain --jsonl', () => {
  const line = (id: number) =>
    JSON.stringify({ id, transport: 'http', input: { status: 404, headers: {}, body: OFFLINE } });

  test('one object a line in, one a line out, in order', async () => {
    const { exitCode, out } = await run(['explain', '--jsonl'], `${line(1)}\r\n\n${line(2)}`);
    const answers = out
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one));
    expect(answers.map((one) => [one.id, one.code, one.category])).toEqual([
      [1, 404103, 'offline'],
      [2, 404103, 'offline'],
    ]);
    expect(Object.keys(answers[0])).toEqual(
      'id category reason code httpStatus condition reasonCode advice transient executed retryAfterMs trackingId timestamp detail'.split(
        ' ',
      ),
    );
    expect(exitCode).toBe(0);
  });

  test('a bad line gets an error of its own and the rest is read; exit code 1 at the end', async () => {
    const input = [
      '{ broken',
      '[]',
      '{"id":"x","transport":"smoke","input":1}',
      '{"id":7,"transport":"http"}',
      line(9),
    ].join('\n');
    const { exitCode, out, err } = await run(['explain', '--jsonl'], input);
    const answers = out
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one));
    expect(answers.map((one) => [one.id, typeof one.error])).toEqual([
      [null, 'string'],
      [null, 'string'],
      ['x', 'string'],
      [7, 'string'],
      [9, 'undefined'],
    ]);
    expect(err).toBe('');
    expect(exitCode).toBe(1);
  });

  test('ten thousand lines pass through a slow reader without piling up', async () => {
    let made = 0;
    const source = Readable.from(
      (function* () {
        while (made < 10_000) yield `${line(made++)}\n`;
      })(),
    );
    const { io } = streams(source);
    const stdout = new Collected(true);
    expect(await main(['explain', '--jsonl'], { ...io, stdout })).toBe(0);
    expect(stdout.text.split('\n')).toHaveLength(10_001);
    // What waits is never more than a line or two beyond what the stream itself holds.
    expect(stdout.mostWaiting).toBeLessThan(16_384);
  });

  test('a line without an end is cut, not collected', async () => {
    const { exitCode, out } = await run(['explain', '--jsonl'], `${'x'.repeat(5_000_000)}\n${line(3)}\n`);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((one) => JSON.parse(one).id),
    ).toEqual([null, 3]);
    expect(exitCode).toBe(1);
  });
});

describe('wrong use', () => {
  test.each([
    [['bogus']],
    [['expain']],
    [['explain', '--bogus']],
    [['explain', '--fil', 'x']],
    [['explain', '--file', '/no/such/file']],
    [['explain', '--file', '/']],
    [['explain', '--file', 'x', 'y']],
    [['explain', '']],
    [['scan', '/no/such/file']],
    [['codes', '--category', 'nonsense']],
    [['codes', '--transport', 'smoke']],
    [['emulator', '--port', 'http=99999']],
    [['emulator', '--port', '80']],
    [['emulator', '--transports', 'http', '--ca-file', '/no/such/folder/ca.pem']],
    [['emulator', '--transports', 'smoke']],
    [['emulator', '--transports', 'mqtt', '--port', 'http=8080']],
    [['emulator', '--port', 'mqtts=8883']],
  ])('%j ends with 2 and one line on stderr', async (argv) => {
    const { exitCode, out, err } = await run(argv);
    expect(err).toMatch(/^faultmap: [^\n]+\n$/);
    expect(err).not.toMatch(/\bat .*:\d+/);
    expect(out).toBe('');
    expect(exitCode).toBe(2);
  });

  test.each([
    [['--devices', 'a b#/'], '--devices: expected an id'],
    [['--devices', 'a,a'], '--devices: expected each'],
    [['--transports', 'smoke'], '--transports: expected'],
    [['--host-name', ''], '--host-name: expected'],
    [['--host', '192.0.2.1', '--transports', 'http'], '--host: expected an address of this machine'],
  ])('emulator %j: the mistake names the option', async (argv, said) => {
    const { exitCode, err } = await run(['emulator', ...argv]);
    expect(err).toContain(`faultmap: ${said}`);
    expect(exitCode).toBe(2);
  });

  test('help and version end with 0', async () => {
    expect(await run(['--help'])).toMatchObject({ exitCode: 0, err: '' });
    expect((await run(['explain', '--help'])).out).toContain('Exit codes');
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test.each([['explain', '404103'], ['codes', '--json'], ['scan']])('a full disk ends %s with 2', async (...argv) => {
  const { io, stderr } = streams('ErrorCode:DeviceNotFound;x\n');
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' })),
  });
  expect(await main(argv, { ...io, stdout })).toBe(2);
  expect(stderr.text).toBe('faultmap: cannot write the output: no space is left\n');
});

describe('colours', () => {
  const colored = async (argv: readonly string[], terminal: boolean, env: Record<string, string> = {}) => {
    const { io, stdout } = streams();
    Object.assign(stdout, { isTTY: terminal });
    await main(argv, { ...io, env });
    return stdout.text.includes('\u001b[');
  };

  test.each([
    ['on a terminal', ['explain', '404103'], true, {}, true],
    ['into a pipe', ['explain', '404103'], false, {}, false],
    ['with NO_COLOR', ['explain', '404103'], true, { NO_COLOR: '1' }, false],
    ['on a dumb terminal', ['explain', '404103'], true, { TERM: 'dumb' }, false],
    ['with FORCE_COLOR', ['explain', '404103'], false, { FORCE_COLOR: '1' }, true],
    ['--no-color before the command', ['--no-color', 'explain', '404103'], true, {}, false],
    ['--no-color behind the command', ['explain', '--no-color', '404103'], true, {}, false],
    ['--no-color at the end', ['explain', '404103', '--no-color'], true, {}, false],
  ])('%s', async (_where, argv, terminal, env, expected) => {
    expect(await colored(argv, terminal, env)).toBe(expected);
  });
});

test.each([
  [['explain'], 'an error'],
  [['explain', '--jsonl'], 'objects in JSON'],
  [['scan'], 'a log'],
])('%j before a terminal says what it waits for', async (argv, awaited) => {
  const ofTerminal = Object.assign(Readable.from([Buffer.from('404103\n')]), { isTTY: true });
  expect((await run(argv, ofTerminal)).err).toMatch(
    new RegExp(`^faultmap: reading ${awaited}.* from the terminal; .*\n$`),
  );
  expect((await run(argv, '404103\n')).err).toBe('');
});

test.each(['Error 401003', 'error code: 401003', 'failed 401003'])('%s asks about its number', async (text) => {
  const { out, exitCode } = await run(['explain', text]);
  expect(out).toContain('401003 IotHubUnauthorized');
  expect(exitCode).toBe(0);
});

test('a number that is in no catalogue is not made a code', async () => {
  expect((await run(['explain', 'Error 123456'])).exitCode).toBe(1);
});

test('two codes are refused rather than one ignored', async () => {
  expect((await run(['explain', '400027', '409002'])).exitCode).toBe(2);
});
