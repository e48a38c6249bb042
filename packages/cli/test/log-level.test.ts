import { describe, expect, test } from 'vitest';
import { isQuiet } from '../src/log-level.ts';
import { run } from './run.ts';

const recordOf = (text: string) => (text.startsWith('{') ? JSON.parse(text) : undefined);
const quiet = (text: string) => isQuiet(text, recordOf(text));
const json = (record: object) => JSON.stringify(record);
const color = (code: number, text: string) => `\u001b[${code}m${text}\u001b[39m`;

/** The default formats of loggers: an entry at INFO or below, and one above. */
const formats: readonly (readonly [logger: string, quiet: string, loud: string])[] = [
  ['pino', json({ level: 30, time: 1, msg: 'connection closed' }), json({ level: 40, msg: 'connection closed' })],
  ['pino, names', json({ level: 'debug', msg: 'x' }), json({ level: 'warn', msg: 'x' })],
  ['pino-pretty', '[10:00:05.000] INFO (4123): x', '[10:00:05.000] WARN (4123): x'],
  [
    'pino-pretty, colours',
    `[10:00:05.000] ${color(32, 'INFO')} (gw/4123): x`,
    `[10:00:05.000] ${color(31, 'ERROR')} (gw/4123): x`,
  ],
  ['bunyan', json({ name: 'gw', level: 20, msg: 'x', v: 0 }), json({ name: 'gw', level: 50, msg: 'x', v: 0 })],
  [
    'bunyan, short',
    '[2026-03-01T10:00:05.000Z]  INFO: gw/4123 on h: x',
    '[2026-03-01T10:00:05.000Z]  WARN: gw/4123 on h: x',
  ],
  ['winston, JSON', json({ message: 'x', level: 'silly' }), json({ message: 'x', level: 'error' })],
  ['winston, simple', 'verbose: x', 'warn: x'],
  ['winston, colours', `${color(32, 'info')}: x`, `${color(31, 'error')}: x`],
  ['winston, with a time', '2026-03-01T10:00:05.000Z [gw] debug: x', '2026-03-01T10:00:05.000Z [gw] error: x'],
  ['log4j', '176 [main] INFO  org.foo.Bar - x', '176 [main] WARN  org.foo.Bar - x'],
  [
    'log4j, with a time',
    '2026-03-01 10:00:05,000 [main] DEBUG com.x.Gw - x',
    '2026-03-01 10:00:05,000 [main] ERROR com.x.Gw - x',
  ],
  [
    'log4j, JSON',
    json({ thread: 'main', level: 'INFO', message: 'x' }),
    json({ thread: 'main', level: 'FATAL', message: 'x' }),
  ],
  [
    'Spring Boot',
    '2026-03-01T10:00:05.000Z  INFO 41 --- [   main] c.e.Gw   : x',
    '2026-03-01T10:00:05.000Z  WARN 41 --- [   main] c.e.Gw   : x',
  ],
  ['java.util.logging', 'FINE: x', 'SEVERE: x'],
  [
    'Elastic',
    json({ '@timestamp': 'T', 'log.level': 'info', message: 'x' }),
    json({ 'log.level': 'error', message: 'x' }),
  ],
  ['Elastic, nested', json({ log: { level: 'debug' }, message: 'x' }), json({ log: { level: 'error' }, message: 'x' })],
  ['Python', 'INFO:azure.iot.device:x', 'WARNING:azure.iot.device:x'],
  [
    'Python, with a time',
    '2026-03-01 10:00:05,000 - azure.iot - INFO - x',
    '2026-03-01 10:00:05,000 - azure.iot - ERROR - x',
  ],
  [
    'Python, with a line',
    '2026-03-01 10:00:05,000 - app.py:31 - DEBUG - x',
    '2026-03-01 10:00:05,000 - app.py:31 - CRITICAL - x',
  ],
  ['Python, JSON', json({ levelname: 'INFO', message: 'x' }), json({ levelname: 'WARNING', message: 'x' })],
  ['Flask', '[2026-03-01 10:00:05,000] INFO in app: x', '[2026-03-01 10:00:05,000] ERROR in app: x'],
  ['gunicorn', '[2026-03-01 10:00:05 +0000] [41] [INFO] x', '[2026-03-01 10:00:05 +0000] [41] [CRITICAL] x'],
  ['Celery', '[2026-03-01 10:00:05,000: INFO/MainProcess] x', '[2026-03-01 10:00:05,000: ERROR/MainProcess] x'],
  ['loguru', '2026-03-01 10:00:05.000 | INFO     | a:run:12 - x', '2026-03-01 10:00:05.000 | WARNING  | a:run:12 - x'],
  ['structlog', '2026-03-01 10:00:05 [info     ] x', '2026-03-01 10:00:05 [warning  ] x'],
  ['.NET console', 'info: Gateway.Worker[14]\n      x', 'fail: Gateway.Worker[14]\n      x'],
  [
    '.NET console, colours',
    `\u001b[40m${color(32, 'dbug')}\u001b[49m: Gateway[14]\n      x`,
    `\u001b[40m${color(31, 'crit')}\u001b[49m: Gateway[14]\n      x`,
  ],
  ['.NET console, with a time', '10:00:05 trce: Gateway.Worker[14] x', '10:00:05 warn: Gateway.Worker[14] x'],
  ['.NET for systemd', '<6>Gateway.Worker[14] x', '<4>Gateway.Worker[14] x'],
  ['.NET, JSON', json({ LogLevel: 'Information', Message: 'x' }), json({ LogLevel: 'Warning', Message: 'x' })],
  ['Serilog', '[10:00:05 INF] x', '[10:00:05 WRN] x'],
  ['Serilog, file', '2026-03-01 10:00:05.000 +00:00 [DBG] x', '2026-03-01 10:00:05.000 +00:00 [ERR] x'],
  [
    'Serilog, whole names',
    '2026-03-01 10:00:05.000 +00:00 [Information] x',
    '2026-03-01 10:00:05.000 +00:00 [Fatal] x',
  ],
  ['Serilog, compact', json({ '@t': 'T', '@m': 'x' }), json({ '@t': 'T', '@m': 'x', '@l': 'Warning' })],
  ['Serilog, JSON', json({ Timestamp: 'T', Level: 'Debug' }), json({ Timestamp: 'T', Level: 'Error' })],
  ['IoT Edge', '<6>2026-03-01 10:00:05.000 +00:00 [INF] - x', '<4>2026-03-01 10:00:05.000 +00:00 [WRN] - x'],
  ['NLog', '2026-03-01 10:00:05.0000|INFO|Gateway|x', '2026-03-01 10:00:05.0000|ERROR|Gateway|x'],
  ['zap', json({ level: 'info', ts: 1.5, msg: 'x' }), json({ level: 'dpanic', ts: 1.5, msg: 'x' })],
  [
    'zap, development',
    '2026-03-01T10:00:05.000Z\tINFO\tgw/main.go:12\tx',
    '2026-03-01T10:00:05.000Z\tWARN\tgw/main.go:12\tx',
  ],
  ['zap, seconds', '1.772359205e+09\tinfo\tgw/main.go:12\tx', '1.772359205e+09\terror\tgw/main.go:12\tx'],
  ['logrus', 'time="2026-03-01T10:00:05Z" level=info msg="x"', 'time="2026-03-01T10:00:05Z" level=warning msg="x"'],
  ['logrus, terminal', 'DEBU[0005] x', 'ERRO[0005] x'],
  ['logrus, colours', `${color(36, 'INFO')}[0005] x`, `${color(33, 'WARN')}[0005] x`],
  ['slog', '2026/03/01 10:00:05 INFO x', '2026/03/01 10:00:05 ERROR x'],
  ['slog, text', 'time=2026-03-01T10:00:05.000Z level=DEBUG+2 msg=x', 'time=2026-03-01T10:00:05.000Z level=WARN msg=x'],
  ['slog, JSON', json({ level: 'INFO', msg: 'x' }), json({ level: 'ERROR+4', msg: 'x' })],
  ['zerolog', '10:00AM INF x device=d1', '10:00AM WRN x device=d1'],
  ['klog', 'I0301 10:00:05.000000    41 main.go:12] x', 'E0301 10:00:05.000000    41 main.go:12] x'],
  ['hclog', '2026-03-01T10:00:05.000Z [INFO]  gw: x', '2026-03-01T10:00:05.000Z [WARN]  gw: x'],
  ['env_logger', '[2026-03-01T10:00:05Z INFO  gw::worker] x', '[2026-03-01T10:00:05Z ERROR gw::worker] x'],
  ['tracing', '2026-03-01T10:00:05.000000Z  INFO gw::worker: x', '2026-03-01T10:00:05.000000Z ERROR gw::worker: x'],
  ['Ruby', 'I, [2026-03-01T10:00:05.000000 #41]  INFO -- : x', 'E, [2026-03-01T10:00:05.000000 #41] ERROR -- : x'],
  ['Monolog', '[2026-03-01T10:00:05+00:00] app.INFO: x [] []', '[2026-03-01T10:00:05+00:00] app.ERROR: x [] []'],
  ['nginx', '2026/03/01 10:00:05 [info] 41#41: *1 x', '2026/03/01 10:00:05 [error] 41#41: *1 x'],
  [
    'Apache',
    '[Sun Mar 01 10:00:05.000000 2026] [core:info] [pid 41] x',
    '[Sun Mar 01 10:00:05.000000 2026] [core:error] [pid 41] x',
  ],
  [
    'RabbitMQ',
    '2026-03-01 10:00:05.000000+00:00 [info] <0.123.0> x',
    '2026-03-01 10:00:05.000000+00:00 [error] <0.123.0> x',
  ],
  ['ESP-IDF', 'I (1234) wifi: x', 'E (1234) wifi: x'],
  ['Android', '03-01 10:00:05.000  41  41 I Gateway : x', '03-01 10:00:05.000  41  41 E Gateway : x'],
  ['journald', json({ PRIORITY: '6', _TRANSPORT: 'journal', MESSAGE: 'x' }), json({ PRIORITY: '3', MESSAGE: 'x' })],
  // Whatever a service prints has priority 6, so that it tells nothing.
  [
    'journald, of a service',
    json({ PRIORITY: '6', _TRANSPORT: 'stdout', MESSAGE: 'INFO x' }),
    json({ PRIORITY: '6', _TRANSPORT: 'stdout', MESSAGE: 'x' }),
  ],
  [
    'GELF',
    json({ version: '1.1', short_message: 'x', level: 6 }),
    json({ version: '1.1', short_message: 'x', level: 4 }),
  ],
  ['syslog', '<14>Mar  1 10:00:05 gw gateway[41]: x', '<11>Mar  1 10:00:05 gw gateway[41]: x'],
  [
    'syslog, RFC 5424',
    '<166>1 2026-03-01T10:00:05.000Z gw gateway 41 - - x',
    '<163>1 2026-03-01T10:00:05.000Z gw gateway 41 - - x',
  ],
  [
    'syslog, level of the program',
    'Mar  1 10:00:05 gw gateway[41]: INFO x',
    '<14>Mar  1 10:00:05 gw gateway[41]: ERROR x',
  ],
  ['Google Cloud', json({ severity: 'INFO', message: 'x' }), json({ severity: 'ERROR', message: 'x' })],
  ['Application Insights', json({ severityLevel: 1, message: 'x' }), json({ severityLevel: 3, message: 'x' })],
  ['OpenTelemetry', json({ SeverityNumber: 9, Body: 'x' }), json({ SeverityNumber: 17, Body: 'x' })],
  ['Docker', json({ log: 'info: x\n', stream: 'stdout' }), json({ log: 'x\n', stream: 'stdout' })],
  ['Kubernetes', '2026-03-01T10:00:05.000000000Z stdout F info: x', '2026-03-01T10:00:05.000000000Z stderr F error: x'],
];

describe('the level of an entry', () => {
  test.each(formats)('%s', (_logger, atInfo, above) => {
    expect(quiet(atInfo)).toBe(true);
    expect(quiet(above)).toBe(false);
  });

  test.each([
    'connection closed',
    'http: TLS handshake error from 10.0.0.1:51234: EOF',
    'Failed: INFO desk connection closed',
    'connection to DEBUG port closed',
    'Information is missing: connection closed',
    '[gateway] connection closed',
    '{"msg":"connection closed"}',
    '{"level":null,"severity":{},"msg":"connection closed"}',
    '',
  ])('is not made up: %s', (text) => {
    expect(quiet(text)).toBe(false);
  });

  test('is looked for in linear time', () => {
    for (const text of ['[1]'.repeat(130), '[a - '.repeat(80), '10:00:05 a b: '.repeat(40), 'a.'.repeat(200)])
      expect(quiet(text)).toBe(false);
  });
});

test('scan leaves out what only words tell at INFO, and counts it above', async () => {
  const lines = formats.filter(([logger]) => /^(?:Serilog|zerolog|NLog|klog)$/.test(logger));
  const log = lines
    .flatMap(([, atInfo, above]) => [atInfo, above])
    .map((line) => line.replace(/\bx\b/, 'connection closed'));
  const report = JSON.parse((await run(['scan', '--json'], log.join('\n'))).out);
  expect(report).toMatchObject({ entries: 8, faults: 4 });
});
