import { classify, iotHub } from '@faultmap/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { restsOnWords } from '../src/log-level.ts';
import { mayTell, mayTellForCertain, says } from '../src/may-tell.ts';
import { everyReader } from '../src/readers.ts';

/*
 * What is passed over must be what reading would make nothing of. Held to reading itself: by every
 * expression that reading tries, and by texts of faults as logs bend them. Where a new phrase of core
 * is passed over, may-tell.ts needs its stem.
 */

const RUNS = 80;

const PHRASES = [
  'ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again.',
  '{"Message":"{\\"errorCode\\":404103,\\"trackingId\\":\\"0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1\\",\\"message\\":\\"Timed out\\"}"}',
  '{"code":404103}',
  '{"code":312345}',
  'amqp:link:stolen',
  'com.microsoft:argument-out-of-range',
  '{"status":"disabled"}',
  'error(condition:amqp:unauthorized-access,description:Put token failed.)',
  'com.microsoft:device-container-throttled',
  'uamqp ErrorCodes.LinkDetachForced',
  'AmqpLinkDetachForcedException',
  'IotHubClientException: IOTHUB_CLIENT_CONNECTION_EXPIRED_SAS_TOKEN',
  'connect ECONNREFUSED 127.0.0.1:8883',
  'CERT_HAS_EXPIRED',
  'HTTP/1.1" 503',
  'status code (401)',
  'failed with: 404',
  '[401 Unauthorized]',
  '(429) Too Many Requests',
  '$iothub/twin/res/429/?$rid=1',
  'Connection refused: Not authorized',
  'rc=5',
  'result code: 4',
  'client.state() -2',
  'SocketException (10061)',
  'https://aka.ms/iothub403004',
  'resultType: 404104',
  'Tracking ID:0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1',
  'connection closed',
  'request timed out',
];

/** What an ordinary program says of an ordinary day. */
const ORDINARY = [
  'device sensor-7 connected from 10.0.3.4:51234',
  'GET /devices/sensor-9/twin -> 200 OK (31 ms)',
  'cache hit ratio 93.12%, evictions=412, memory=1024 MB',
  'published telemetry id=9f3c22 size=345 bytes in 12 ms',
  'listening on port 8080',
  'job 4f2a finished: 431 items processed, 3 skipped',
  'config reloaded from /etc/gateway/config.yaml: workers=8',
];

const read = (text: string) => classify(text, everyReader);

/** Texts that nothing is found in, and that get past what is asked before an expression is tried. */
const LURES = [
  'nothing of note',
  'Nothing_OF note 1 22 333 4444 55555 666666 0x7: [8] (9) x="y" {z}, code status error http state rc result',
  'nothing { "a": 404 } \\" 4041 amqp: com.microsoft: tracking id ErrorCode Exception CONNACK disconnect wait retry reason Reason api answered response',
  '{"a":',
  '["x"',
  '{"msg":"\\"a\\":1"}',
  'a ""b"": c [1m &gt; {',
  '<html>',
];

/** The expressions that reading tries. */
function expressionsTried(): readonly RegExp[] {
  const tried = new Map<string, RegExp>();
  const { exec } = RegExp.prototype;
  RegExp.prototype.exec = function (this: RegExp, text) {
    tried.set(String(this), this);
    return exec.call(this, text);
  };
  try {
    for (const text of [...LURES, ...ORDINARY, ...PHRASES]) read(text);
  } finally {
    RegExp.prototype.exec = exec;
  }
  return [...tried.values()];
}

/**
 * The alternatives of an expression, each as one that strings can be made for: without what looks
 * around, for which the blanks about it serve.
 */
function alternativesOf({ source }: RegExp): readonly RegExp[] {
  const alternatives = [''];
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const here = source[at] ?? '';
    if (!inClass && /^\(\?<?[=!]/.test(source.slice(at))) at = endOfGroup(source, at);
    else if (!inClass && /^\\[bB]/.test(source.slice(at))) at++;
    else if (!inClass && depth === 0 && here === '|') alternatives.push('');
    else {
      inClass = here === '[' || (inClass && here !== ']');
      if (!inClass) depth += Number(here === '(') - Number(here === ')');
      alternatives[alternatives.length - 1] += here === '\\' ? source.slice(at, ++at + 1) : here;
    }
  }
  return alternatives.map((one) => new RegExp(one.replaceAll('[^]', '[ -~]').replaceAll('(?:)', '')));
}

function endOfGroup(source: string, start: number): number {
  let depth = 0;
  let inClass = false;
  for (let at = start; at < source.length; at++) {
    const here = source[at];
    if (here === '\\') at++;
    else if (here === '[') inClass = true;
    else if (here === ']') inClass = false;
    else if (here === '(' && !inClass) depth++;
    else if (here === ')' && !inClass && --depth === 0) return at;
  }
  throw new Error(`an open group in ${source}`);
}

/** Ways in which a log holds a text. */
const bends: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `2026-03-01T10:00:00Z gateway[71]: ${text}`,
  (text) => `${text}\n    at Object.run (app.js:1:2)`,
  (text) => JSON.stringify({ time: 1, msg: text }),
  (text) => JSON.stringify({ log: JSON.stringify({ msg: text }) }),
  (text) => `"${text.replaceAll('"', '""')}"`,
  (text) => text.replaceAll('"', '&quot;'),
  (text) => text.replaceAll(' ', '\n'),
  (text) => text.replaceAll(' ', '_'),
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.replace(/\w{4,}/g, '\u001b[31m$&\u001b[39m'),
  (text) => JSON.stringify(text.replace(/\w{4,}/, '\u001b[1m$&\u001b[22m')),
];

function expectNothingLost(text: string): void {
  const error = read(text);
  if (!says(error)) return;
  expect(
    mayTell(text),
    `may-tell.ts needs a stem for ${JSON.stringify(text)}, read as ${error.category} ${error.reason}`,
  ).toBe(true);
  const { code, condition, reason } = error;
  if (code === undefined && condition === undefined && !/^E[A-Z_]{4,}$/.test(reason)) return;
  expect(mayTellForCertain(text), `may-tell.ts, CERTAIN: ${JSON.stringify(text)}, read as ${reason} ${code}`).toBe(
    true,
  );
}

describe('what is passed over, reading makes nothing of', () => {
  const tried = expressionsTried();

  test('the expressions of reading are found', () => {
    expect(tried.length).toBeGreaterThan(80);
    const sources = tried.map(({ source }) => source).join('\n');
    for (const part of [
      'timed out waiting for device',
      'success: ',
      'aka\\.ms',
      'RETURN_CODE',
      'connection ?refused',
      'errno',
    ])
      expect(sources).toContain(part);
  });

  test.each(tried.map((expression) => [expression.source.slice(0, 60), expression] as const))(
    '%s',
    (_name, expression) => {
      for (const alternative of alternativesOf(expression)) {
        const property = fc.property(fc.stringMatching(alternative), fc.constantFrom(...bends), (text, bend) =>
          expectNothingLost(bend(text)),
        );
        fc.assert(property, { numRuns: RUNS });
      }
    },
  );

  const phrases = [
    ...PHRASES,
    ...iotHub.rows.flatMap(({ code, reason }) => [reason, `${code} ${reason}`, `error ${code}`]),
  ];
  const word = fc.oneof(fc.constantFrom(...phrases), fc.constantFrom(...ORDINARY), fc.string({ maxLength: 12 }));

  test('texts of faults alone, bent', () => {
    for (const phrase of phrases) for (const bend of bends) expectNothingLost(bend(phrase));
  });

  test('texts of faults among ordinary words, bent and cut', () => {
    let told = 0;
    const property = fc.property(
      fc.array(word, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(' ', ': ', '', '\\', '\n', '"', '=', ' - ', '_'),
      fc.constantFrom(...bends),
      fc.nat(200),
      (words, between, bend, cut) => {
        const text = bend(words.join(between).slice(0, 20 + cut));
        if (says(read(text))) told++;
        expectNothingLost(text);
      },
    );
    fc.assert(property, { numRuns: 50 * RUNS });
    expect(told).toBeGreaterThan(5 * RUNS);
  });

  test('most of what logs say is passed over', () => {
    const lines = ORDINARY.map((text) => `2026-03-01T10:00:00Z INFO [worker-3] ${text}`);
    expect(lines.filter(mayTell)).toEqual([]);
  });
});

test.each([
  '"errorCode" : 0',
  'ErrorCode:',
  '"Message":',
  '"ExceptionMessage":""',
  '"trackingId":',
  'Tracking ID:',
  'A.Exceptions.FooException',
])('at INFO, what only an answer of the cloud has is read: %s', (mark) => {
  const error = classify('connection closed');
  expect(restsOnWords(error, `INFO ${mark} connection closed`, undefined)).toBe(false);
  expect(mayTellForCertain(`INFO ${mark} connection closed`)).toBe(true);
});

test.each(['ECONNRESET', '404103', 'DeviceNotOnline', 'amqp:link:stolen', 'errorCode":404103'])(
  'at INFO, %s is read',
  (text) => {
    expect(mayTellForCertain(`INFO ${text}`)).toBe(true);
    expect(mayTellForCertain('INFO connection closed, request timeout, status 404')).toBe(false);
  },
);
