import { expect, test } from 'vitest';
import { timeOf } from '../src/log-time.ts';

test.each([
  ['ISO', '2026-03-01T10:00:05.123Z x', '2026-03-01T10:00:05.123Z'],
  ['ISO with a zone', '2026-03-01 10:00:05.123456 +01:00 [INF] x', '2026-03-01T09:00:05.123Z'],
  ['Python', '2026-03-01 10:00:05,123 - x', '2026-03-01T10:00:05.123Z'],
  ['Go and nginx', '2026/03/01 10:00:05 x', '2026-03-01T10:00:05.000Z'],
  ['web servers', '10.0.0.1 - - [01/Mar/2026:10:00:05 +0100] "GET / HTTP/1.1" 503 0', '2026-03-01T09:00:05.000Z'],
  ['pino', '{"time":1772359205123}', '2026-03-01T10:00:05.123Z'],
  ['zap', '{"ts":1772359205.5}', '2026-03-01T10:00:05.500Z'],
  ['GELF', '{"timestamp":1772359205.5}', '2026-03-01T10:00:05.500Z'],
  ['Serilog', '{"@t":"2026-03-01T10:00:05.1230000Z"}', '2026-03-01T10:00:05.123Z'],
  ['journald', '{"__REALTIME_TIMESTAMP":"1772359205123456"}', '2026-03-01T10:00:05.123Z'],
  ['none', 'connection closed at 10:00:05', undefined],
  ['a date that is none', '2026-13-41T10:00:05Z', undefined],
])('the time of an entry: %s', (_form, text, time) => {
  expect(timeOf(text, text.startsWith('{') ? JSON.parse(text) : undefined)?.toISOString()).toBe(time);
});
