import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { main } from '@faultmap/cli';
import { classify } from '@faultmap/core';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { run, streams } from './run.ts';

const LOG = `2026-03-01T10:00:00Z INFO device sensor-7 connected
2026-03-01T10:00:05Z ERROR registry.get {"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again. Operation type: CRUD","ExceptionMessage":"Tracking ID:4c004cc9c096ba760ec615f004b0dee5-G:11-TimeStamp:03/01/2026 10:00:05"}
2026-03-01T10:00:09Z ERROR Microsoft.Azure.Devices.Client.Exceptions.UnauthorizedException: error(condition:amqp:unauthorized-access,description:Put token failed.)
   at Microsoft.Azure.Devices.Client.Transport.Amqp.Open()
   at Program.Main()
2026-03-01T10:00:11Z INFO fine again
2026-03-01T11:30:00Z ERROR registry.get {"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again. Operation type: CRUD","ExceptionMessage":"Tracking ID:5d004cc9c096ba760ec615f004b0dee5-G:11-TimeStamp:03/01/2026 11:30:00"}
`;

describe('faultmap scan', () => {
  test('counts faults by code or reason, with first and last time and a tracking id', async () => {
    const { exitCode, out } = await run(['scan', '--json'], LOG);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ entries: 5, faults: 3 });
    expect(report.groups).toMatchObject([
      {
        code: 429003,
        reason: 'ThrottlingBacklogTimeout',
        category: 'throttled',
        transient: true,
        count: 2,
        first: '2026-03-01T10:00:05.000Z',
        last: '2026-03-01T11:30:00.000Z',
        where: 'stdin:2',
      },
      { code: null, reason: 'amqp:unauthorized-access', category: 'unauthorized', count: 1, where: 'stdin:3' },
    ]);
    expect(report.groups[0].trackingId).toContain('4c004cc9c096ba760ec615f004b0dee5');
    expect(exitCode).toBe(0);
  });

  test('a stack and pretty-printed JSON belong to the line they follow', async () => {
    const text = 'Failed: {\r\n  "Message": "ErrorCode:DeviceNotFound;x"\r\n}\r\nok\r\n';
    expect(JSON.parse((await run(['scan', '--json'], text)).out)).toMatchObject({ entries: 2, faults: 1 });
  });

  test("records of the hub's resource logs are read by their resultType", async () => {
    const record = (time: string, resultType: string) =>
      JSON.stringify({
        time,
        resourceId: '/SUBSCRIPTIONS/X',
        operationName: 'deviceDisconnect',
        level: 'Error',
        resultType,
        resultDescription: 'x',
      });
    const input = `${record('2026-03-01T10:00:00Z', '404104')}\n${record('2026-03-01T10:00:01.5Z', '404104')}\n`;
    expect(JSON.parse((await run(['scan', '--json'], input)).out).groups).toMatchObject([
      { code: 404104, reason: 'DeviceConnectionClosedRemotely', count: 2, last: '2026-03-01T10:00:01.500Z' },
    ]);
  });

  test('errors that faultmap itself logged are read back', async () => {
    const error = JSON.stringify(classify({ status: 404, body: '{"errorCode":404103,"message":"x"}' }));
    const input = `${error}\n{"level":50,"time":1772359205000,"err":${error}}\n{"category":"toys","advice":"buy"}\n`;
    expect(JSON.parse((await run(['scan', '--json'], input)).out)).toMatchObject({
      faults: 2,
      groups: [{ code: 404103, category: 'offline', count: 2, first: '2026-03-01T10:00:05.000Z' }],
    });
    expect((await run(['explain', error])).out).toContain('404103 DeviceNotOnline');
  });

  test('a table for people, over several files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const files = [join(folder, 'a.log'), join(folder, 'b.log')];
    for (const file of files) await writeFile(file, LOG);
    const { out } = await run(['scan', ...files]);
    expect(out).toMatch(/4 │ 429003 │ ThrottlingBacklogTimeout/);
    expect(out).toContain('6 faults in 10 entries, of 2 kinds');
  });

  test('an empty log has no faults', async () => {
    expect(await run(['scan'], '')).toMatchObject({ exitCode: 0, out: '0 faults in 0 entries, of 0 kinds\n' });
  });

  test('a secret in a log is in no output', async () => {
    const text =
      '2026-03-01T10:00:00Z ERROR ErrorCode:PLANTEDNAME;SharedAccessKey=PLANTEDKEY123= 401 Unauthorized sig=PLANTEDSIG\n';
    for (const argv of [['scan'], ['scan', '--json']]) {
      const { out, err } = await run(argv, text);
      expect(out + err).not.toMatch(/PLANTEDKEY|PLANTEDSIG/);
    }
  });

  test('at INFO or below, words and a bare status are no faults', async () => {
    const quiet = [
      'INFO request timeout set to 30s',
      '2026-03-01T10:00:00Z INFO connection closed',
      '[INF] no timeout, no error',
      '2026-03-01 10:00:00,123 - app.net - DEBUG - TimedOut: false',
      'info: loading module http 404 handler',
      'time=2026-03-01T10:00:00Z level=info msg="request timeout set"',
      '{"level":"info","message":"connection closed"}',
      '{"level":30,"msg":"connection closed"}',
    ];
    expect(JSON.parse((await run(['scan', '--json'], quiet.join('\n'))).out)).toMatchObject({ entries: 8, faults: 0 });
    const told = [
      'ERROR connection closed',
      'connection closed',
      'INFO read ECONNRESET',
      'INFO 404103 DeviceNotOnline',
      'INFO answer {"Message":"ErrorCode:DeviceNotFound;x"}',
      'INFO error(condition:amqp:unauthorized-access,description:x)',
      '{"level":50,"msg":"connection closed"}',
    ];
    expect(JSON.parse((await run(['scan', '--json'], told.join('\n'))).out)).toMatchObject({ entries: 7, faults: 7 });
  });

  test('files that cannot be read, or are binary, are told after the report of the others', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [good, zipped, binary] = ['good.log', 'a.gz', 'a.bin'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(good, 'ErrorCode:DeviceNotFound;x\n');
    await writeFile(zipped, Buffer.from([0x1f, 0x8b, 8, 0]));
    await writeFile(binary, 'ECONNRESET\0');
    const { exitCode, out, err } = await run(['scan', join(folder, 'missing.log'), zipped, binary, good]);
    expect(exitCode).toBe(2);
    expect(out).toContain('1 fault in 1 entry, of 1 kind\n');
    expect(err).toMatch(
      /missing\.log: no such file\n.*a\.gz is binary, compressed by gzip: zcat.*\n.*a\.bin is binary/,
    );
    expect(await run(['scan', binary])).toMatchObject({ exitCode: 2, out: '' });
  });

  test('UTF-16 with its mark is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const little = Buffer.from('\ufeffErrorCode:DeviceNotFound;x\r\n', 'utf16le');
    const files = [join(folder, 'le.log'), join(folder, 'be.log')] as const;
    await writeFile(files[0], little);
    await writeFile(files[1], Buffer.from(little).swap16());
    expect((await run(['scan', ...files])).out).toContain('2 faults in 2 entries, of 1 kind\n');
  });

  test('rows of NULs, as truncation under the writer or a lost power leave them, are passed over', async () => {
    async function* input() {
      yield Buffer.alloc(70_000);
      yield Buffer.concat([Buffer.alloc(10), Buffer.from('ErrorCode:DeviceNotFound;x\n')]);
    }
    const report = JSON.parse((await run(['scan', '--json'], Readable.from(input()))).out);
    expect(report).toMatchObject({ entries: 1, faults: 1, groups: [{ where: 'stdin:1' }] });
    const lost = Buffer.concat([Buffer.from('ok\n'), Buffer.alloc(4_096), Buffer.from('ErrorCode:DeviceNotFound;x\n')]);
    expect((await run(['scan'], Readable.from([lost]))).out).toContain('1 fault in 2 entries');
    expect(await run(['scan'], Readable.from([Buffer.alloc(10)]))).toMatchObject({ exitCode: 0, err: '' });
  });

  test('a dump of a thousand lines is one entry; a time begins a new one', async () => {
    const dump = `Error: read ECONNRESET\n${"  code: 'ECONNRESET',\n".repeat(1_000)}}\n`;
    const input = `${dump}  2026-03-01T10:00:00Z ERROR ErrorCode:DeviceNotFound;x\n`;
    expect(JSON.parse((await run(['scan', '--json'], input)).out)).toMatchObject({ entries: 2, faults: 2 });
  });

  test('interrupted, it tells what it has counted', async () => {
    let interrupt: () => void = () => {};
    const { io, stdout, stderr } = streams(
      // A log that goes on: `tail -f app.log | faultmap scan`.
      new Readable({ read() {} }),
      new Promise<void>((resolve) => {
        interrupt = resolve;
      }),
    );
    (io.stdin as Readable).push('ErrorCode:DeviceNotFound;x\nok\n404103 DeviceNotOnline');
    const ended = main(['scan', '-', '/nowhere/at-all.log'], io);
    await vi.waitFor(() => expect((io.stdin as Readable).readableLength).toBe(0));
    interrupt();
    expect(await ended).toBe(130);
    expect(stdout.text).toContain('2 faults in 3 entries, of 2 kinds');
    expect(stderr.text).toMatch(/^faultmap: interrupted; [^\n]+\n$/);
  });

  test('takes no stacks while it scans, and does again after', async () => {
    const before = Error.stackTraceLimit;
    let during = before;
    async function* input() {
      during = Error.stackTraceLimit;
      yield Buffer.from('x\n');
    }
    await run(['scan'], Readable.from(input()));
    expect([during, Error.stackTraceLimit]).toEqual([0, before]);
    expect((await run(['scan', '/nowhere/at-all.log'])).exitCode).toBe(2);
    expect(Error.stackTraceLimit).toBe(before);
  });

  test('the table fits a terminal; a tracking id stands below it whole, without its time', async () => {
    const { out } = await run(['scan'], LOG);
    expect(out).toMatch(/429003 ThrottlingBacklogTimeout: 4c004cc9c096ba760ec615f004b0dee5-G:11\n/);
    expect(out).toContain('2026-03-01 10:00:05 – 11:30:00 │');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  test('more kinds than can be kept are counted together', async () => {
    const text = Array.from({ length: 3_000 }, (_, i) => `ErrorCode:Made${i};x status code: 429\n`).join('');
    const report = JSON.parse((await run(['scan', '--json'], text)).out);
    expect(report.groups.length).toBeLessThan(1_100);
    expect(report.groups.reduce((sum: number, group: { count: number }) => sum + group.count, 0)).toBe(report.faults);
  });
});
